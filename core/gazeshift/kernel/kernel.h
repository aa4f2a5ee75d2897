/* The render kernel's loops. kernel.c includes this file once for every instruction set, with
 * K(name) giving each copy its own names. Plain C: the compiler turns the loops into vectors.
 *
 * Pictures are interleaved RGB; inside, every channel is a plane of floats. The wide blur is the
 * one of gazeshift.blur: reduce to every stride-th pixel with a quintic B-spline, blur the small
 * copy, expand with the same spline. A margin of MARGIN small pixels surrounds the small copy. */

/* Widen pixels [left, left + count) of a row to floats in codes, one plane per channel. */
static void K(load)(const void *RESTRICT row, int kind, ptrdiff_t left, ptrdiff_t count,
                    float *RESTRICT planes, ptrdiff_t pitch)
{
    float *RESTRICT r = planes, *RESTRICT g = planes + pitch, *RESTRICT b = planes + 2 * pitch;
    if (kind == KIND_U8) {
        const uint8_t *RESTRICT p = (const uint8_t *)row + 3 * left;
        for (ptrdiff_t i = 0; i < count; i++) {
            r[i] = (float)p[3 * i];
            g[i] = (float)p[3 * i + 1];
            b[i] = (float)p[3 * i + 2];
        }
    } else if (kind == KIND_U16) {
        const uint16_t *RESTRICT p = (const uint16_t *)row + 3 * left;
        for (ptrdiff_t i = 0; i < count; i++) {
            r[i] = (float)p[3 * i];
            g[i] = (float)p[3 * i + 1];
            b[i] = (float)p[3 * i + 2];
        }
    } else {
        const float *RESTRICT p = (const float *)row + 3 * left;
        for (ptrdiff_t i = 0; i < count; i++) {
            r[i] = p[3 * i];
            g[i] = p[3 * i + 1];
            b[i] = p[3 * i + 2];
        }
    }
}

/* Round planes of codes (or take floats as they are) and interleave them into a row. */
static void K(store)(void *RESTRICT row, int kind, ptrdiff_t left, ptrdiff_t count,
                     const float *RESTRICT r, const float *RESTRICT g, const float *RESTRICT b)
{
    if (kind == KIND_U8) {
        uint8_t *RESTRICT p = (uint8_t *)row + 3 * left;
        for (ptrdiff_t i = 0; i < count; i++) {
            p[3 * i] = (uint8_t)round_code(r[i]);
            p[3 * i + 1] = (uint8_t)round_code(g[i]);
            p[3 * i + 2] = (uint8_t)round_code(b[i]);
        }
    } else if (kind == KIND_U16) {
        uint16_t *RESTRICT p = (uint16_t *)row + 3 * left;
        for (ptrdiff_t i = 0; i < count; i++) {
            p[3 * i] = (uint16_t)round_code(r[i]);
            p[3 * i + 1] = (uint16_t)round_code(g[i]);
            p[3 * i + 2] = (uint16_t)round_code(b[i]);
        }
    } else {
        float *RESTRICT p = (float *)row + 3 * left;
        for (ptrdiff_t i = 0; i < count; i++) {
            p[3 * i] = r[i];
            p[3 * i + 1] = g[i];
            p[3 * i + 2] = b[i];
        }
    }
}

/* Decode codes to linear light. The power is a polynomial in the root, relative error 1.2e-7. */
static void K(decode)(const float *RESTRICT codes, float *RESTRICT linear, ptrdiff_t count,
                      float scale)
{
    for (ptrdiff_t i = 0; i < count; i++) {
        float x = codes[i] * scale;
        float z = sqrtf((x + 0.055f) * (1.0f / 1.055f));
        float power = 0.012233911082148552f;
        power = power * z - 0.09030021727085114f;
        power = power * z + 0.9111096262931824f;
        power = power * z + 0.2073337882757187f;
        power = power * z - 0.04903705045580864f;
        power = power * z + 0.00981123372912407f;
        power = power * z - 0.0012192900758236647f;
        power = power * z + 6.812094943597913e-05f;
        linear[i] = x <= 0.04045f ? x * (1.0f / 12.92f) : power;
    }
}

/* Decode pixels [left, left + count) of row y, edges repeated beyond the picture. */
static void K(linear_row)(const source *from, ptrdiff_t y, ptrdiff_t left, ptrdiff_t count,
                          float *codes, float *linear, ptrdiff_t pitch)
{
    ptrdiff_t first = left < 0 ? 0 : left, end = left + count;
    const char *row;
    if (end > from->width)
        end = from->width;
    y = y < 0 ? 0 : y >= from->height ? from->height - 1 : y;
    row = from->pixels + (y - from->top) * from->row_stride;
    K(load)(row, from->kind, first, end - first, codes, pitch);
    for (int c = 0; c < 3; c++) {
        float *plane = linear + c * pitch;
        ptrdiff_t inner = first - left, i;
        K(decode)(codes + c * pitch, plane + inner, end - first, from->scale);
        for (i = 0; i < inner; i++)
            plane[i] = plane[inner];
        for (i = inner + end - first; i < count; i++)
            plane[i] = plane[inner + end - first - 1];
    }
}

static void K(add_weighted)(float *RESTRICT into, const float *RESTRICT row, float weight,
                            ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++)
        into[i] += weight * row[i];
}

/* Six running sums at once: the row is read once for all small rows that it belongs to. */
static void K(add_weighted_6)(float *RESTRICT a, float *RESTRICT b, float *RESTRICT c,
                              float *RESTRICT d, float *RESTRICT e, float *RESTRICT f,
                              const float *RESTRICT row, const float *RESTRICT w, ptrdiff_t count)
{
    const float wa = w[0], wb = w[1], wc = w[2], wd = w[3], we = w[4], wf = w[5];
    for (ptrdiff_t i = 0; i < count; i++) {
        float x = row[i];
        a[i] += wa * x;
        b[i] += wb * x;
        c[i] += wc * x;
        d[i] += wd * x;
        e[i] += we * x;
        f[i] += wf * x;
    }
}

/* Dot product in eight running sums, so that it becomes vectors; count is a multiple of 8. */
static float K(dot)(const float *RESTRICT a, const float *RESTRICT b, ptrdiff_t count)
{
    float sum[8] = {0};
    for (ptrdiff_t i = 0; i < count; i += 8)
        for (int lane = 0; lane < 8; lane++)
            sum[lane] += a[i + lane] * b[i + lane];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/* Compute rows [first, last) of the small copy. */
static int K(reduce)(const source *from, const small_copy *small, ptrdiff_t first, ptrdiff_t last)
{
    const ptrdiff_t stride = small->stride, reach = 3 * stride - 1, taps = 2 * reach + 1;
    const ptrdiff_t padded = (taps + 7) / 8 * 8;
    const ptrdiff_t block = stride > 64 ? 8 : 384 / stride;
    const ptrdiff_t span = (block - 1) * stride + taps;
    const ptrdiff_t pitch = (span + 8 + 15) / 16 * 16;
    const ptrdiff_t rows = last - first;
    float *scratch = allocate((size_t)(pitch * (6 + 3 * rows) + padded));
    float *codes = scratch, *linear, *sums, *weights;
    if (scratch == NULL)
        return 0;
    linear = codes + 3 * pitch;
    sums = linear + 3 * pitch;
    weights = sums + 3 * rows * pitch;
    for (ptrdiff_t k = 0; k < padded; k++)
        weights[k] = k < taps ? small->taps[k] : 0.0f;
    for (ptrdiff_t left = 0; left < small->width; left += block) {
        ptrdiff_t columns = small->width - left < block ? small->width - left : block;
        ptrdiff_t x = stride * (left - MARGIN) - reach, wide = (columns - 1) * stride + taps;
        ptrdiff_t y = stride * (first - MARGIN) - reach;
        ptrdiff_t end = stride * (last - 1 - MARGIN) + reach + 1;
        memset(sums, 0, sizeof(float) * (size_t)(3 * rows * pitch));
        /* Columns whose support misses the picture see its edge pixel only. */
        if (x >= from->width)
            x = from->width - 1;
        if (x + wide <= 0)
            x = 1 - wide;
        for (ptrdiff_t decoded = -1; y < end; y++) {
            ptrdiff_t inside = y < 0 ? 0 : y >= from->height ? from->height - 1 : y;
            /* Small rows whose taps meet this row: |y - stride (g - MARGIN)| <= reach. */
            ptrdiff_t low = ceil_divide(y - reach, stride) + MARGIN;
            ptrdiff_t high = floor_divide(y + reach, stride) + MARGIN;
            if (inside != decoded)
                K(linear_row)(from, inside, x, wide, codes, linear, pitch);
            decoded = inside;
            if (high - low == 5 && low >= first && high < last) {
                float w[6], *a = sums + 3 * (low - first) * pitch;
                for (ptrdiff_t t = 0; t < 6; t++)
                    w[t] = weights[y - stride * (low + t - MARGIN) + reach];
                for (int c = 0; c < 3; c++)
                    K(add_weighted_6)(a + c * pitch, a + (3 + c) * pitch, a + (6 + c) * pitch,
                                      a + (9 + c) * pitch, a + (12 + c) * pitch,
                                      a + (15 + c) * pitch, linear + c * pitch, w, wide);
                continue;
            }
            if (low < first)
                low = first;
            if (high > last - 1)
                high = last - 1;
            for (ptrdiff_t g = low; g <= high; g++)
                for (int c = 0; c < 3; c++)
                    K(add_weighted)(sums + (3 * (g - first) + c) * pitch, linear + c * pitch,
                                    weights[y - stride * (g - MARGIN) + reach], wide);
        }
        for (ptrdiff_t g = 0; g < rows; g++)
            for (int c = 0; c < 3; c++) {
                const float *RESTRICT row = sums + (3 * g + c) * pitch;
                float *RESTRICT out = small->planes + c * small->height * small->width +
                                      (first + g) * small->width + left;
                for (ptrdiff_t i = 0; i < columns; i++)
                    out[i] = K(dot)(row + i * stride, weights, padded);
            }
    }
    free(scratch);
    return 1;
}

/* Filter lines of `count` values with symmetric weights, edges repeated, in place. The lines lie
 * side by side: value i of line k is at data[i * step + k]. */
static int K(blur_columns)(float *RESTRICT data, ptrdiff_t count, ptrdiff_t step, ptrdiff_t lines,
                           const float *RESTRICT weights, ptrdiff_t radius)
{
    float *copy = allocate((size_t)((count + 2 * radius) * lines));
    if (copy == NULL)
        return 0;
    for (ptrdiff_t i = 0; i < count + 2 * radius; i++) {
        ptrdiff_t from = i < radius ? 0 : i - radius >= count ? count - 1 : i - radius;
        memcpy(copy + i * lines, data + from * step, sizeof(float) * (size_t)lines);
    }
    for (ptrdiff_t i = 0; i < count; i++) {
        const float *RESTRICT centre = copy + (i + radius) * lines;
        float *RESTRICT out = data + i * step;
        for (ptrdiff_t k = 0; k < lines; k++)
            out[k] = weights[radius] * centre[k];
        for (ptrdiff_t t = 1; t <= radius; t++) {
            const float *RESTRICT a = centre - t * lines, *RESTRICT b = centre + t * lines;
            const float weight = weights[radius + t];
            for (ptrdiff_t k = 0; k < lines; k++)
                out[k] += weight * (a[k] + b[k]);
        }
    }
    free(copy);
    return 1;
}

/* Filter one line along itself: `padded` holds count + 2 radius values. */
static void K(blur_line)(const float *RESTRICT padded, float *RESTRICT out, ptrdiff_t count,
                         const float *RESTRICT weights, ptrdiff_t radius)
{
    const float *RESTRICT centre = padded + radius;
    for (ptrdiff_t i = 0; i < count; i++)
        out[i] = weights[radius] * centre[i];
    for (ptrdiff_t t = 1; t <= radius; t++) {
        const float weight = weights[radius + t];
        for (ptrdiff_t i = 0; i < count; i++)
            out[i] += weight * (centre[i - t] + centre[i + t]);
    }
}

/* Filter rows [first, last) of the small copy along themselves, in place. */
static int K(blur_rows)(const small_copy *small, const float *weights, ptrdiff_t radius,
                        ptrdiff_t first, ptrdiff_t last)
{
    const ptrdiff_t width = small->width;
    float *padded = allocate((size_t)(width + 2 * radius));
    if (padded == NULL)
        return 0;
    for (int c = 0; c < 3; c++)
        for (ptrdiff_t y = first; y < last; y++) {
            float *row = small->planes + (c * small->height + y) * width;
            memcpy(padded + radius, row, sizeof(float) * (size_t)width);
            for (ptrdiff_t i = 0; i < radius; i++) {
                padded[i] = row[0];
                padded[radius + width + i] = row[width - 1];
            }
            K(blur_line)(padded, row, width, weights, radius);
        }
    free(padded);
    return 1;
}

/* Blur rows [first, last) directly into planes of shape (3, last - first, width). */
static int K(blur_narrow)(const source *from, const float *weights, ptrdiff_t radius,
                          ptrdiff_t first, ptrdiff_t last, float *planes)
{
    const ptrdiff_t rows = last - first, tall = rows + 2 * radius;
    const ptrdiff_t pitch = (TILE + 2 * radius + 15) / 16 * 16;
    float *scratch = allocate((size_t)(pitch * (3 + 3 * tall + 1)));
    float *codes = scratch, *linear, *line;
    if (scratch == NULL)
        return 0;
    linear = codes + 3 * pitch;
    line = linear + 3 * tall * pitch;
    for (ptrdiff_t left = 0; left < from->width; left += TILE) {
        ptrdiff_t columns = from->width - left < TILE ? from->width - left : TILE;
        ptrdiff_t wide = columns + 2 * radius;
        for (ptrdiff_t y = 0; y < tall; y++)
            K(linear_row)(from, first - radius + y, left - radius, wide, codes,
                          linear + 3 * y * pitch, pitch);
        for (ptrdiff_t y = 0; y < rows; y++)
            for (int c = 0; c < 3; c++) {
                const float *RESTRICT centre = linear + (3 * (y + radius) + c) * pitch;
                for (ptrdiff_t i = 0; i < wide; i++)
                    line[i] = weights[radius] * centre[i];
                for (ptrdiff_t t = 1; t <= radius; t++) {
                    const float *RESTRICT a = centre - 3 * t * pitch;
                    const float *RESTRICT b = centre + 3 * t * pitch;
                    const float weight = weights[radius + t];
                    for (ptrdiff_t i = 0; i < wide; i++)
                        line[i] += weight * (a[i] + b[i]);
                }
                K(blur_line)(line, planes + (c * rows + y) * from->width + left, columns, weights,
                             radius);
            }
    }
    free(scratch);
    return 1;
}

/* Expand one row of the small copy: `out` gets stride values for each of `blocks` small pixels.
 * `lanes` is the stride rounded up to 8; what is written beyond the stride is overwritten by the
 * next block, so `out` needs `lanes` values of room behind its end. */
static void K(expand_row)(const float *RESTRICT row, float *RESTRICT out, ptrdiff_t blocks,
                          ptrdiff_t stride, ptrdiff_t lanes, const float *RESTRICT phases)
{
    for (ptrdiff_t j = 0; j < blocks; j++)
        for (ptrdiff_t lane = 0; lane < lanes; lane += 8) {
            const float *RESTRICT w = phases + lane;
            float *RESTRICT to = out + j * stride + lane;
            for (int i = 0; i < 8; i++)
                to[i] = row[j] * w[i] + row[j + 1] * w[lanes + i] + row[j + 2] * w[2 * lanes + i] +
                        row[j + 3] * w[3 * lanes + i] + row[j + 4] * w[4 * lanes + i] +
                        row[j + 5] * w[5 * lanes + i];
        }
}

static void K(expand_column)(const float *RESTRICT rows, ptrdiff_t pitch,
                             const float *RESTRICT w, ptrdiff_t step, float *RESTRICT out,
                             ptrdiff_t count)
{
    const float w0 = w[0], w1 = w[step], w2 = w[2 * step], w3 = w[3 * step], w4 = w[4 * step],
                w5 = w[5 * step];
    const float *RESTRICT a = rows, *RESTRICT b = rows + pitch, *RESTRICT c = rows + 2 * pitch,
                *RESTRICT d = rows + 3 * pitch, *RESTRICT e = rows + 4 * pitch,
                *RESTRICT f = rows + 5 * pitch;
    for (ptrdiff_t i = 0; i < count; i++)
        out[i] = ((w0 * a[i] + w5 * f[i]) + (w1 * b[i] + w4 * e[i])) + (w2 * c[i] + w3 * d[i]);
}

/* Sharpen in linear light and look the result up by its root, between the nearest two entries.
 * Three loops: the first and the last become vectors, the second is bound by its loads. */
static void K(sharpen)(const float *RESTRICT linear, const float *RESTRICT blurred, float amount,
                       const float *RESTRICT table, float steps, float *RESTRICT out,
                       ptrdiff_t count)
{
    int32_t at[TILE];
    float pairs[2 * TILE];
    const int32_t last = (int32_t)steps;
    for (ptrdiff_t i = 0; i < count; i++) {
        float light = linear[i] + amount * (linear[i] - blurred[i]);
        float root;
        light = light > 0.0f ? light : 0.0f;
        light = light < 1.0f ? light : 1.0f;
        root = sqrtf(light) * steps;
        at[i] = (int32_t)root;
        /* Only a NaN could point beyond the table, and only if the caller let one through. */
        at[i] = at[i] < 0 ? 0 : at[i] > last ? last : at[i];
        out[i] = root - (float)at[i];
    }
    for (ptrdiff_t i = 0; i < count; i++)
        memcpy(pairs + 2 * i, table + 2 * (ptrdiff_t)at[i], 2 * sizeof(float));
    for (ptrdiff_t i = 0; i < count; i++)
        out[i] = pairs[2 * i] + out[i] * pairs[2 * i + 1];
}

static void K(look_up)(const float *RESTRICT codes, const float *RESTRICT table,
                       float *RESTRICT out, ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++)
        out[i] = table[(int32_t)codes[i]];
}

/* Written so that the mask's ends come out bit for bit. */
static void K(mix)(const float *RESTRICT front, const float *RESTRICT back,
                   const float *RESTRICT mask, float *RESTRICT out, ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++)
        out[i] = front[i] * mask[i] + back[i] * (1.0f - mask[i]);
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
static const float *K(run_chain)(const chain *region, int channel, const float *codes,
                                 const float *linear, const float *blurred, float *out,
                                 ptrdiff_t count)
{
    if (region->mode == MODE_IDENTITY)
        return codes;
    if (region->mode == MODE_CODES)
        K(look_up)(codes, region->table + channel * region->entries, out, count);
    else
        K(sharpen)(linear, blurred, region->amount, region->table + 2 * channel * region->entries,
                   (float)(region->entries - 1), out, count);
    return out;
}

/* Render rows [first, last). Returns 0 out of memory, -1 when the mask is bad, 1 otherwise. */
static int K(draw)(const source *from, const drawing *job, ptrdiff_t first, ptrdiff_t last)
{
    const small_copy *small = &job->small;
    const ptrdiff_t stride = small->stride, lanes = (stride + 7) / 8 * 8;
    const int expands = job->blur == BLUR_SMALL;
    const ptrdiff_t small_rows = expands ? (last - 1) / stride - first / stride + 6 : 0;
    const ptrdiff_t pitch = TILE, wide = expands ? TILE + 2 * lanes + stride : 0;
    float *scratch = allocate((size_t)(pitch * 14 + wide * 3 * small_rows));
    float *codes = scratch, *linear, *expanded, *front, *behind, *mixed, *rows;
    int status = 1;
    if (scratch == NULL)
        return 0;
    linear = codes + 3 * pitch;
    expanded = linear + pitch;
    front = expanded + pitch;
    behind = front + 3 * pitch;
    mixed = behind + 3 * pitch;
    rows = mixed + 3 * pitch;
    for (ptrdiff_t left = 0; left < from->width; left += TILE) {
        ptrdiff_t count = from->width - left < TILE ? from->width - left : TILE;
        ptrdiff_t block = expands ? left / stride : 0;
        if (expands)
            for (ptrdiff_t g = 0; g < small_rows; g++)
                for (int c = 0; c < 3; c++)
                    K(expand_row)(small->planes +
                                      (c * small->height + first / stride + 1 + g) * small->width +
                                      block + 1,
                                  rows + (3 * g + c) * wide,
                                  (left + count - 1) / stride - block + 1, stride, lanes,
                                  small->phases);
        for (ptrdiff_t y = first; y < last; y++) {
            const char *pixels = from->pixels + (y - from->top) * from->row_stride;
            const float *mask =
                (const float *)(job->mask + (y - first) * job->mask_stride) + left;
            char *out = job->out + (y - first) * job->out_stride;
            int32_t low, high;
            const float *planes[3];
            int front_only, back_only, uses_light;
            if (!K(mask_range)(mask, count, &low, &high))
                status = -1;
            front_only = low >= BITS_OF_ONE;
            back_only = high == 0;
            uses_light = (!back_only && job->front.mode == MODE_LIGHT) ||
                         (!front_only && job->back.mode == MODE_LIGHT);
            K(load)(pixels, from->kind, left, count, codes, pitch);
            for (int c = 0; c < 3; c++) {
                const float *blurred = NULL, *a = NULL, *b = NULL;
                if (uses_light) {
                    K(decode)(codes + c * pitch, linear, count, from->scale);
                    blurred = linear;
                    if (expands) {
                        K(expand_column)(rows + (3 * (y / stride - first / stride) + c) * wide +
                                             (left - block * stride),
                                         3 * wide, small->phases + y % stride, lanes, expanded,
                                         count);
                        blurred = expanded;
                    } else if (job->blur == BLUR_PLANES) {
                        blurred = job->planes + c * job->plane_stride +
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
