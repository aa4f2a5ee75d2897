/* Sharpening, curves and the blend of both regions; see depths.h. */

static void K(sharpen)(const REAL *RESTRICT linear, const REAL *RESTRICT blurred, REAL amount,
                       REAL *RESTRICT root, ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++) {
        REAL light = linear[i] + amount * (linear[i] - blurred[i]);
        light = light > 0 ? light : 0;
        light = light < 1 ? light : 1;
        root[i] = ROOT(light);
    }
}

#if DEEP
/* Replace positions by their values on a curve of straight pieces: the position's cell names the
 * first piece that it may lie on. Only a NaN could point beyond the cells, and only if the caller
 * let one through. */
static void K(bend)(const chain *region, int channel, REAL *RESTRICT position, ptrdiff_t count)
{
    const double *RESTRICT lines =
        (const double *)region->table + 2 * channel * region->entries;
    const int32_t last = (int32_t)region->cell_count - 1;
    const double cells = (double)region->cell_count;
    int32_t at[TILE];
    for (ptrdiff_t i = 0; i < count; i++) {
        int32_t cell = (int32_t)(position[i] * cells);
        at[i] = cell < 0 ? 0 : cell > last ? last : cell;
    }
    for (ptrdiff_t i = 0; i < count; i++) {
        int32_t piece = region->cells[at[i]];
        while (position[i] >= region->uppers[piece])
            piece++;
        position[i] = lines[2 * piece] + lines[2 * piece + 1] * position[i];
    }
}
#else
/* Replace positions by a table's values, between the nearest two entries. Three loops: the first
 * and the last become vectors, the second is bound by its loads. Only a NaN could point beyond the
 * table, and only if the caller let one through. */
static void K(bend)(const chain *region, int channel, REAL *RESTRICT position, ptrdiff_t count)
{
    const float *RESTRICT table = (const float *)region->table + 2 * channel * region->entries;
    const int32_t last = (int32_t)region->entries - 1;
    const float steps = (float)last;
    int32_t at[TILE];
    float pairs[2 * TILE];
    for (ptrdiff_t i = 0; i < count; i++) {
        float place = position[i] * steps;
        at[i] = (int32_t)place;
        at[i] = at[i] < 0 ? 0 : at[i] > last ? last : at[i];
        position[i] = place - (float)at[i];
    }
    for (ptrdiff_t i = 0; i < count; i++)
        memcpy(pairs + 2 * i, table + 2 * (ptrdiff_t)at[i], 2 * sizeof(float));
    for (ptrdiff_t i = 0; i < count; i++)
        position[i] = pairs[2 * i] + position[i] * pairs[2 * i + 1];
}
#endif

static void K(look_up)(const REAL *RESTRICT codes, const REAL *RESTRICT table,
                       REAL *RESTRICT out, ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++)
        out[i] = table[(int32_t)codes[i]];
}

/* Written so that the mask's ends come out bit for bit. */
static void K(mix)(const REAL *RESTRICT front, const REAL *RESTRICT back,
                   const float *RESTRICT mask, REAL *RESTRICT out, ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++)
        out[i] = front[i] * mask[i] + back[i] * (1 - (REAL)mask[i]);
}

/* Smallest and largest of a stretch of the mask, as the bits of the floats, which sort as the
 * numbers do from 0 up. Returns 0 when one is NaN, negative or above 1. */
static int K(mask_range)(const float *RESTRICT mask, ptrdiff_t count, int32_t *low, int32_t *high)
{
    int32_t smallest = BITS_OF_ONE, largest = 0, negative = 0;
    for (ptrdiff_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, mask + i, sizeof bits);
        smallest = bits < smallest ? bits : smallest;
        largest = bits > largest ? bits : largest;
        negative |= (bits < 0) & (bits != BITS_OF_NEGATIVE_ZERO);
    }
    *low = smallest;
    *high = largest;
    return negative == 0 && largest <= BITS_OF_ONE;
}

/* One region's result for one channel of a stretch. */
static const REAL *K(run_chain)(const chain *region, int channel, const REAL *codes,
                                const REAL *linear, const REAL *blurred, REAL *out,
                                ptrdiff_t count)
{
    if (region->mode == MODE_IDENTITY)
        return codes;
    if (region->mode == MODE_CODES) {
        K(look_up)(codes, (const REAL *)region->table + channel * region->entries, out, count);
        return out;
    }
    if (region->mode == MODE_VALUES)
        memcpy(out, codes, sizeof(REAL) * (size_t)count);
    else
        K(sharpen)(linear, blurred, (REAL)region->amount, out, count);
    K(bend)(region, channel, out, count);
    return out;
}

/* Render rows [first, last). Returns 0 out of memory, -1 when the mask is bad, 1 otherwise. */
static int K(draw)(const source *from, const drawing *job, ptrdiff_t first, ptrdiff_t last)
{
    const int expands = job->blur == BLUR_SMALL;
    const ptrdiff_t pitch = TILE;
    K(expander) expander = {0};
    const ptrdiff_t room =
        expands ? K(plan_expansion)(&expander, &job->small, first, last) : 0;
    REAL *scratch = (REAL *)allocate((size_t)(pitch * 14 + room), sizeof(REAL));
    REAL *codes = scratch, *linear, *expanded, *front, *behind, *mixed;
    int status = 1;
    if (scratch == NULL)
        return 0;
    linear = codes + 3 * pitch;
    expanded = linear + pitch;
    front = expanded + pitch;
    behind = front + 3 * pitch;
    mixed = behind + 3 * pitch;
    if (expands)
        K(begin_expansion)(&expander, mixed + 3 * pitch);
    for (ptrdiff_t left = 0; left < from->width; left += TILE) {
        ptrdiff_t count = from->width - left < TILE ? from->width - left : TILE;
        if (expands)
            K(expand_tile)(&expander, left, count);
        for (ptrdiff_t y = first; y < last; y++) {
            const char *pixels = from->pixels + (y - from->top) * from->row_stride;
            const float *mask =
                (const float *)(job->mask + (y - first) * job->mask_stride) + left;
            char *out = job->out + (y - first) * job->out_stride;
            int32_t low, high;
            const REAL *planes[3];
            int front_only, back_only, uses_light;
            if (!K(mask_range)(mask, count, &low, &high))
                status = -1;
            front_only = low >= BITS_OF_ONE;
            back_only = high == 0;
            uses_light = (!back_only && job->front.mode == MODE_LIGHT) ||
                         (!front_only && job->back.mode == MODE_LIGHT);
            K(load)(pixels, from->kind, left, count, codes, pitch);
            for (int c = 0; c < 3; c++) {
                const REAL *blurred = NULL, *a = NULL, *b = NULL;
                if (uses_light) {
                    K(decode)(codes + c * pitch, linear, count, (REAL)from->scale);
                    blurred = linear;
                    if (expands) {
                        K(expanded)(&expander, left, count, y, c, expanded);
                        blurred = expanded;
                    } else if (job->blur == BLUR_PLANES) {
                        blurred = (const REAL *)job->planes + c * job->plane_stride +
                                  (y - job->planes_top) * from->width + left;
                    }
                }
                if (!back_only)
                    a = K(run_chain)(&job->front, c, codes + c * pitch, linear, blurred,
                                     front + c * pitch, count);
                if (!front_only)
                    b = K(run_chain)(&job->back, c, codes + c * pitch, linear, blurred,
                                     behind + c * pitch, count);
                if (a != NULL && b != NULL)
                    K(mix)(a, b, mask, mixed + c * pitch, count);
                planes[c] = front_only ? a : back_only ? b : mixed + c * pitch;
            }
            K(store)(out, from->kind, left, count, planes[0], planes[1], planes[2]);
        }
    }
    free(scratch);
    return status;
}
