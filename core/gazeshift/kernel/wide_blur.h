/* The blur of gazeshift.blur: reduce to every stride-th pixel with a B-spline of degree 7, blur the
 * small copy, expand with the same spline. MARGIN small pixels surround the small copy. See
 * depths.h. */

/* Add `n` weighted rows, `pitch` apart, to four running sums; the rows are read once for all four.
 * The order of the sums is that of the rows, however they are cut into calls. */
FORCE_INLINE void K(add_few)(REAL *const *sums, const REAL *RESTRICT rows, ptrdiff_t pitch,
                             const REAL *weights, const int n, ptrdiff_t count)
{
    REAL *RESTRICT a = sums[0], *RESTRICT b = sums[1], *RESTRICT c = sums[2], *RESTRICT d = sums[3];
    REAL w[4 * ROWS_AT_ONCE];
    for (int r = 0; r < n; r++)
        for (int t = 0; t < 4; t++)
            w[4 * r + t] = weights[ORDER * r + t];
    for (ptrdiff_t i = 0; i < count; i++) {
        REAL sa = a[i], sb = b[i], sc = c[i], sd = d[i];
        for (int r = 0; r < n; r++) {
            const REAL x = rows[r * pitch + i];
            sa += w[4 * r] * x;
            sb += w[4 * r + 1] * x;
            sc += w[4 * r + 2] * x;
            sd += w[4 * r + 3] * x;
        }
        a[i] = sa;
        b[i] = sb;
        c[i] = sc;
        d[i] = sd;
    }
}

static void K(add_rows)(REAL *const *sums, const REAL *rows, ptrdiff_t pitch, const REAL *weights,
                        ptrdiff_t n, ptrdiff_t count)
{
    for (; n >= ROWS_AT_ONCE; n -= ROWS_AT_ONCE) {
        K(add_few)(sums, rows, pitch, weights, ROWS_AT_ONCE, count);
        rows += ROWS_AT_ONCE * pitch;
        weights += ROWS_AT_ONCE * ORDER;
    }
    if (n == 3)
        K(add_few)(sums, rows, pitch, weights, 3, count);
    else if (n == 2)
        K(add_few)(sums, rows, pitch, weights, 2, count);
    else if (n == 1)
        K(add_few)(sums, rows, pitch, weights, 1, count);
}

/* Add eight taps of one phase: `out[j] += sum_m taps[m * stride] line[j + m]`. */
static void K(add_taps)(const REAL *RESTRICT line, const REAL *RESTRICT taps, ptrdiff_t stride,
                        REAL *RESTRICT out, ptrdiff_t count)
{
    const REAL a = taps[0], b = taps[stride], c = taps[2 * stride], d = taps[3 * stride],
               e = taps[4 * stride], f = taps[5 * stride], g = taps[6 * stride],
               h = taps[7 * stride];
    for (ptrdiff_t j = 0; j < count; j++)
        out[j] += ((a * line[j] + b * line[j + 1]) + (c * line[j + 2] + d * line[j + 3])) +
                  ((e * line[j + 4] + f * line[j + 5]) + (g * line[j + 6] + h * line[j + 7]));
}

/* Reduce one interleaved row of (columns + 7) * stride pixels to `columns` small pixels of each
 * channel. `room` holds 2 * columns + 7 numbers. */
static void K(reduce_across)(const REAL *RESTRICT row, const REAL *taps, ptrdiff_t stride,
                             ptrdiff_t columns, REAL *RESTRICT room, SMALL *planes,
                             ptrdiff_t plane_stride)
{
    REAL *RESTRICT line = room, *RESTRICT sums = room + columns + ORDER - 1;
    for (int c = 0; c < 3; c++) {
        SMALL *RESTRICT out = planes + c * plane_stride;
        memset(sums, 0, sizeof(REAL) * (size_t)columns);
        for (ptrdiff_t phase = 0; phase < stride; phase++) {
            const REAL *RESTRICT from = row + 3 * phase + c;
            for (ptrdiff_t j = 0; j < columns + ORDER - 1; j++)
                line[j] = from[3 * stride * j];
            K(add_taps)(line, taps + phase, stride, sums, columns);
        }
        for (ptrdiff_t j = 0; j < columns; j++)
            out[j] = NARROW(sums[j]);
    }
}

/* Compute rows [first, last) of the small copy. Rows of the picture are taken `stride` at a time:
 * all of them meet the same eight small rows, whose sums are kept until they are whole. */
static int K(reduce)(const source *from, const small_copy *small, ptrdiff_t first, ptrdiff_t last)
{
    const ptrdiff_t stride = small->stride, reach = MARGIN * stride - 1;
    const ptrdiff_t block = stride > 128 ? 8 : 1024 / stride;
    const ptrdiff_t pitch = 3 * (block + ORDER - 1) * stride, plane = small->height * small->width;
    REAL *scratch = (REAL *)allocate(
        (size_t)(pitch * (stride + ORDER) + 2 * ORDER * stride + 2 * block + ORDER), sizeof(REAL));
    REAL *linear = scratch, *whole, *taps, *weights, *room, *sums[ORDER];
    if (scratch == NULL)
        return 0;
    for (int t = 0; t < ORDER; t++)
        sums[t] = linear + (stride + t) * pitch;
    taps = linear + (stride + ORDER) * pitch;
    weights = taps + ORDER * stride;
    room = weights + ORDER * stride;
    /* A last tap of 0 makes them a whole number of strides. */
    memcpy(taps, small->taps, sizeof(REAL) * (size_t)(ORDER * stride - 1));
    for (ptrdiff_t r = 0; r < stride; r++)
        for (ptrdiff_t t = 0; t < ORDER; t++) {
            ptrdiff_t tap = r + stride * (ORDER - 1 - t) - 1;
            weights[ORDER * r + t] = tap < 0 ? 0 : taps[tap];
        }
    for (ptrdiff_t left = 0; left < small->width; left += block) {
        ptrdiff_t columns = small->width - left < block ? small->width - left : block;
        ptrdiff_t wide = (columns + ORDER - 1) * stride;
        ptrdiff_t x = stride * (left - MARGIN) - reach, beyond = 0;
        /* Columns whose support misses the picture see its edge pixel only. */
        if (x >= from->width)
            x = from->width - 1;
        if (x + wide <= 0)
            x = 1 - wide;
        for (int t = 0; t < ORDER; t++)
            memset(sums[t], 0, sizeof(REAL) * (size_t)pitch);
        for (ptrdiff_t q = first - ORDER; q <= last - 2; q++) {
            ptrdiff_t y = stride * q;
            int side = y + stride - 1 <= 0 ? -1 : y >= from->height - 1 ? 1 : 0;
            /* The very first row has no weight and need not be in memory; the next stands in. Above
             * and below the picture the edge row stays where it is. */
            for (ptrdiff_t r = 0; (side == 0 || side != beyond) && r < stride; r++)
                K(linear_row)(from, y + r + (q == first - ORDER && r == 0), x, wide,
                              linear + r * pitch);
            beyond = side;
            /* The sums belong to the small rows q + 1 to q + 8. */
            if (q + ORDER / 2 >= first)
                K(add_rows)(sums, linear, pitch, weights, stride, 3 * wide);
            if (q + 1 + ORDER / 2 < last)
                K(add_rows)(sums + ORDER / 2, linear, pitch, weights + ORDER / 2, stride, 3 * wide);
            whole = sums[0];
            if (q + 1 >= first)
                K(reduce_across)(whole, taps, stride, columns, room,
                                 (SMALL *)small->planes + (q + 1) * small->width + left, plane);
            for (int t = 1; t < ORDER; t++)
                sums[t - 1] = sums[t];
            sums[ORDER - 1] = whole;
            memset(whole, 0, sizeof(REAL) * (size_t)pitch);
        }
    }
    free(scratch);
    return 1;
}

/* Add `n` pairs of taps, the first of them `first` steps from the centre. */
FORCE_INLINE void K(fold_few)(const REAL *centre, ptrdiff_t step, const REAL *weights,
                              ptrdiff_t first, const int n, REAL *RESTRICT out, ptrdiff_t count)
{
    REAL w[PAIRS_AT_ONCE];
    for (int k = 0; k < n; k++)
        w[k] = weights[first + k];
    for (ptrdiff_t i = 0; i < count; i++) {
        REAL sum = out[i];
        for (int k = 0; k < n; k++)
            sum += w[k] * (centre[i - (first + k) * step] + centre[i + (first + k) * step]);
        out[i] = sum;
    }
}

/* Filter with symmetric weights, given from the middle one on: `out[i] = weights[0] centre[i] +
 * sum_t weights[t] (centre[i - t step] + centre[i + t step])`. */
static void K(fold)(const REAL *centre, ptrdiff_t step, const REAL *weights, ptrdiff_t radius,
                    REAL *RESTRICT out, ptrdiff_t count)
{
    ptrdiff_t t = 1;
    for (ptrdiff_t i = 0; i < count; i++)
        out[i] = weights[0] * centre[i];
    for (; t + PAIRS_AT_ONCE <= radius + 1; t += PAIRS_AT_ONCE)
        K(fold_few)(centre, step, weights, t, PAIRS_AT_ONCE, out, count);
    for (; t <= radius; t++)
        K(fold_few)(centre, step, weights, t, 1, out, count);
}

/* Filter lines of `count` values with symmetric weights, edges repeated, in place. The lines lie
 * side by side: value i of line k is at data[i * step + k]. */
static int K(blur_columns)(void *planes, ptrdiff_t count, ptrdiff_t step, ptrdiff_t lines,
                           const void *taps, ptrdiff_t radius)
{
    SMALL *RESTRICT data = (SMALL *)planes;
    REAL *copy = (REAL *)allocate((size_t)((count + 2 * radius + 1) * lines), sizeof(REAL));
    REAL *RESTRICT sums = copy + (count + 2 * radius) * lines;
    if (copy == NULL)
        return 0;
    for (ptrdiff_t i = 0; i < count + 2 * radius; i++) {
        ptrdiff_t from = i < radius ? 0 : i - radius >= count ? count - 1 : i - radius;
        const SMALL *RESTRICT line = data + from * step;
        REAL *RESTRICT wide = copy + i * lines;
        for (ptrdiff_t k = 0; k < lines; k++)
            wide[k] = WIDEN(line[k]);
    }
    for (ptrdiff_t i = 0; i < count; i++) {
        SMALL *RESTRICT out = data + i * step;
        K(fold)(copy + (i + radius) * lines, lines, (const REAL *)taps + radius, radius, sums,
                lines);
        for (ptrdiff_t k = 0; k < lines; k++)
            out[k] = NARROW(sums[k]);
    }
    free(copy);
    return 1;
}

/* Filter rows [first, last) of the small copy along themselves, in place. */
static int K(blur_rows)(const small_copy *small, const void *taps, ptrdiff_t radius,
                        ptrdiff_t first, ptrdiff_t last)
{
    const ptrdiff_t width = small->width;
    REAL *padded = (REAL *)allocate((size_t)(2 * width + 2 * radius), sizeof(REAL));
    REAL *sums = padded + width + 2 * radius;
    if (padded == NULL)
        return 0;
    for (int c = 0; c < 3; c++)
        for (ptrdiff_t y = first; y < last; y++) {
            SMALL *row = (SMALL *)small->planes + (c * small->height + y) * width;
            for (ptrdiff_t i = 0; i < width; i++)
                padded[radius + i] = WIDEN(row[i]);
            for (ptrdiff_t i = 0; i < radius; i++) {
                padded[i] = padded[radius];
                padded[radius + width + i] = padded[radius + width - 1];
            }
            K(fold)(padded + radius, 1, (const REAL *)taps + radius, radius, sums, width);
            for (ptrdiff_t i = 0; i < width; i++)
                row[i] = NARROW(sums[i]);
        }
    free(padded);
    return 1;
}

/* Blur rows [first, last) directly into planes of shape (3, last - first, width). */
static int K(blur_narrow)(const source *from, const void *taps, ptrdiff_t radius, ptrdiff_t first,
                          ptrdiff_t last, void *planes)
{
    const ptrdiff_t rows = last - first, tall = rows + 2 * radius;
    const ptrdiff_t pitch = (3 * (TILE + 2 * radius) + 15) / 16 * 16;
    const REAL *weights = (const REAL *)taps + radius;
    REAL *linear = (REAL *)allocate((size_t)(pitch * (tall + 2)), sizeof(REAL));
    REAL *mixed = linear + tall * pitch, *line = mixed + pitch;
    if (linear == NULL)
        return 0;
    for (ptrdiff_t left = 0; left < from->width; left += TILE) {
        ptrdiff_t columns = from->width - left < TILE ? from->width - left : TILE;
        ptrdiff_t wide = columns + 2 * radius;
        for (ptrdiff_t y = 0; y < tall; y++)
            K(linear_row)(from, first - radius + y, left - radius, wide, linear + y * pitch);
        for (ptrdiff_t y = 0; y < rows; y++) {
            K(fold)(linear + (y + radius) * pitch, pitch, weights, radius, mixed, 3 * wide);
            for (int c = 0; c < 3; c++) {
                for (ptrdiff_t i = 0; i < wide; i++)
                    line[i] = mixed[3 * i + c];
                K(fold)(line + radius, 1, weights, radius,
                        (REAL *)planes + (c * rows + y) * from->width + left, columns);
            }
        }
    }
    free(linear);
    return 1;
}

/* Taps that expand several small pixels at once, so that they fill a vector: `taps` has ORDER - 1 +
 * blocks rows of `lanes` numbers, for `blocks` small pixels and their stride values each. */
static void K(spread_phases)(const REAL *phases, ptrdiff_t stride, ptrdiff_t step,
                             ptrdiff_t blocks, ptrdiff_t lanes, REAL *taps)
{
    memset(taps, 0, sizeof(REAL) * (size_t)(lanes * (ORDER - 1 + blocks)));
    for (ptrdiff_t b = 0; b < blocks; b++)
        for (ptrdiff_t t = 0; t < ORDER; t++)
            memcpy(taps + (b + t) * lanes + b * stride, phases + t * step,
                   sizeof(REAL) * (size_t)stride);
}

/* Expand one row of the small copy: `out` gets `stride` values for each of `count` small pixels,
 * `blocks` of them at a time. What is written beyond their values is overwritten by the next ones,
 * so `out` needs 2 `lanes` values of room behind its end, and `wide` holds count + blocks + ORDER.
 * One sum only: gcc turns this into a loop of products, and two or four into a heap of shuffles. */
static void K(expand_row)(const SMALL *RESTRICT row, REAL *RESTRICT out, ptrdiff_t count,
                          ptrdiff_t stride, const REAL *RESTRICT taps, ptrdiff_t blocks,
                          ptrdiff_t lanes, REAL *RESTRICT wide)
{
    for (ptrdiff_t j = 0; j < count + ORDER - 1; j++)
        wide[j] = WIDEN(row[j]);
    for (ptrdiff_t j = 0; j < count; j += blocks)
        for (ptrdiff_t lane = 0; lane < lanes; lane += LANES) {
            REAL sum[LANES] = {0};
            REAL *RESTRICT to = out + j * stride + lane;
            for (ptrdiff_t t = 0; t < ORDER - 1 + blocks; t++) {
                const REAL *RESTRICT w = taps + t * lanes + lane;
                const REAL x = wide[j + t];
                for (int i = 0; i < LANES; i++)
                    sum[i] += x * w[i];
            }
            for (int i = 0; i < LANES; i++)
                to[i] = sum[i];
        }
}

OWN_REGISTERS void K(expand_column)(const REAL *RESTRICT rows, ptrdiff_t pitch, const REAL *RESTRICT w,
                             ptrdiff_t step, REAL *RESTRICT out, ptrdiff_t count)
{
    const REAL w0 = w[0], w1 = w[step], w2 = w[2 * step], w3 = w[3 * step], w4 = w[4 * step],
               w5 = w[5 * step], w6 = w[6 * step], w7 = w[7 * step];
    const REAL *RESTRICT a = rows, *RESTRICT b = rows + pitch, *RESTRICT c = rows + 2 * pitch,
               *RESTRICT d = rows + 3 * pitch, *RESTRICT e = rows + 4 * pitch,
               *RESTRICT f = rows + 5 * pitch, *RESTRICT g = rows + 6 * pitch,
               *RESTRICT h = rows + 7 * pitch;
    for (ptrdiff_t i = 0; i < count; i++)
        out[i] = ((w0 * a[i] + w7 * h[i]) + (w1 * b[i] + w6 * g[i])) +
                 ((w2 * c[i] + w5 * f[i]) + (w3 * d[i] + w4 * e[i]));
}

/* Expands tiles of the small copy: first along its rows, which are kept, then down the columns. */
typedef struct {
    const small_copy *small;
    ptrdiff_t first, rows; /* full-size row that the strip begins with; small rows kept */
    ptrdiff_t step, blocks, lanes, wide;
    REAL *taps, *narrow, *kept;
} K(expander);

/* Describe the expansion of rows [first, last); returns how many numbers of room it needs. */
static ptrdiff_t K(plan_expansion)(K(expander) *job, const small_copy *small, ptrdiff_t first,
                                   ptrdiff_t last)
{
    const ptrdiff_t stride = small->stride;
    job->small = small;
    job->first = first;
    job->rows = (last - 1) / stride - first / stride + ORDER;
    job->step = (stride + 7) / 8 * 8;
    job->blocks = stride < LANES ? LANES / stride : 1;
    job->lanes = (stride * job->blocks + LANES - 1) / LANES * LANES;
    job->wide = TILE + 2 * job->lanes + 2 * stride;
    return job->lanes * (ORDER - 1 + job->blocks) + TILE + 4 * ORDER + LANES +
           3 * job->rows * job->wide;
}

static void K(begin_expansion)(K(expander) *job, REAL *room)
{
    job->taps = room;
    job->narrow = job->taps + job->lanes * (ORDER - 1 + job->blocks);
    job->kept = job->narrow + TILE + 4 * ORDER + LANES;
    K(spread_phases)((const REAL *)job->small->phases, job->small->stride, job->step, job->blocks,
                     job->lanes, job->taps);
}

/* Expand columns [left, left + count) of the strip's small rows. */
static void K(expand_tile)(const K(expander) *job, ptrdiff_t left, ptrdiff_t count)
{
    const small_copy *small = job->small;
    const ptrdiff_t block = left / small->stride, top = job->first / small->stride + 1;
    for (ptrdiff_t g = 0; g < job->rows; g++)
        for (int c = 0; c < 3; c++)
            K(expand_row)((const SMALL *)small->planes +
                              (c * small->height + top + g) * small->width + block + 1,
                          job->kept + (3 * g + c) * job->wide,
                          (left + count - 1) / small->stride - block + 1, small->stride, job->taps,
                          job->blocks, job->lanes, job->narrow);
}

/* One channel of one full-size row of the tile that was expanded last. */
static void K(expanded)(const K(expander) *job, ptrdiff_t left, ptrdiff_t count, ptrdiff_t y,
                        int channel, REAL *out)
{
    const ptrdiff_t stride = job->small->stride, g = y / stride - job->first / stride;
    K(expand_column)(job->kept + (3 * g + channel) * job->wide + left % stride, 3 * job->wide,
                     (const REAL *)job->small->phases + y % stride, job->step, out, count);
}

/* Expand rows [first, last) into planes of shape (3, last - first, width). */
static int K(expand)(const small_copy *small, ptrdiff_t width, ptrdiff_t first, ptrdiff_t last,
                     void *planes)
{
    K(expander) job;
    const ptrdiff_t size = K(plan_expansion)(&job, small, first, last);
    REAL *room = (REAL *)allocate((size_t)size, sizeof(REAL));
    if (room == NULL)
        return 0;
    K(begin_expansion)(&job, room);
    for (ptrdiff_t left = 0; left < width; left += TILE) {
        const ptrdiff_t count = width - left < TILE ? width - left : TILE;
        K(expand_tile)(&job, left, count);
        for (int c = 0; c < 3; c++)
            for (ptrdiff_t y = first; y < last; y++)
                K(expanded)(&job, left, count, y, c,
                            (REAL *)planes + (c * (last - first) + y - first) * width + left);
    }
    free(room);
    return 1;
}
