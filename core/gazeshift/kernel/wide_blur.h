/* The blur of gazeshift.blur: reduce to every stride-th pixel with a B-spline of degree 7, blur the
 * small copy, expand with the same spline. MARGIN small pixels surround the small copy. See
 * depths.h. */

static void K(add_weighted)(REAL *RESTRICT into, const REAL *RESTRICT row, REAL weight,
                            ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++)
        into[i] += weight * row[i];
}

/* Four running sums at once, `step` apart: the row is read once for all of them. */
static void K(add_weighted_4)(REAL *RESTRICT a, ptrdiff_t step, const REAL *RESTRICT row,
                              const REAL *RESTRICT w, ptrdiff_t count)
{
    const REAL wa = w[0], wb = w[1], wc = w[2], wd = w[3];
    REAL *RESTRICT b = a + step, *RESTRICT c = b + step, *RESTRICT d = c + step;
    for (ptrdiff_t i = 0; i < count; i++) {
        REAL x = row[i];
        a[i] += wa * x;
        b[i] += wb * x;
        c[i] += wc * x;
        d[i] += wd * x;
    }
}

/* Dot product in eight running sums, so that it becomes vectors; count is a multiple of 8. */
static REAL K(dot)(const REAL *RESTRICT a, const REAL *RESTRICT b, ptrdiff_t count)
{
    REAL sum[8] = {0};
    for (ptrdiff_t i = 0; i < count; i += 8)
        for (int lane = 0; lane < 8; lane++)
            sum[lane] += a[i + lane] * b[i + lane];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/* Compute rows [first, last) of the small copy. */
static int K(reduce)(const source *from, const small_copy *small, ptrdiff_t first, ptrdiff_t last)
{
    const ptrdiff_t stride = small->stride, reach = MARGIN * stride - 1, taps = 2 * reach + 1;
    const ptrdiff_t padded = (taps + 7) / 8 * 8;
    const ptrdiff_t block = stride > 64 ? 8 : 384 / stride;
    const ptrdiff_t span = (block - 1) * stride + taps;
    const ptrdiff_t pitch = (span + 8 + 15) / 16 * 16;
    const ptrdiff_t rows = last - first;
    REAL *scratch = (REAL *)allocate((size_t)(pitch * (6 + 3 * rows) + padded), sizeof(REAL));
    REAL *codes = scratch, *linear, *sums, *weights;
    if (scratch == NULL)
        return 0;
    linear = codes + 3 * pitch;
    sums = linear + 3 * pitch;
    weights = sums + 3 * rows * pitch;
    for (ptrdiff_t k = 0; k < padded; k++)
        weights[k] = k < taps ? ((const REAL *)small->taps)[k] : 0;
    for (ptrdiff_t left = 0; left < small->width; left += block) {
        ptrdiff_t columns = small->width - left < block ? small->width - left : block;
        ptrdiff_t x = stride * (left - MARGIN) - reach, wide = (columns - 1) * stride + taps;
        ptrdiff_t y = stride * (first - MARGIN) - reach;
        ptrdiff_t end = stride * (last - 1 - MARGIN) + reach + 1;
        memset(sums, 0, sizeof(REAL) * (size_t)(3 * rows * pitch));
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
            if (high - low == ORDER - 1 && low >= first && high < last) {
                REAL w[ORDER], *a = sums + 3 * (low - first) * pitch;
                for (ptrdiff_t t = 0; t < ORDER; t++)
                    w[t] = weights[y - stride * (low + t - MARGIN) + reach];
                for (int c = 0; c < 3; c++)
                    for (int t = 0; t < ORDER; t += 4)
                        K(add_weighted_4)(a + (3 * t + c) * pitch, 3 * pitch, linear + c * pitch,
                                          w + t, wide);
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
                const REAL *RESTRICT row = sums + (3 * g + c) * pitch;
                SMALL *RESTRICT out = (SMALL *)small->planes + c * small->height * small->width +
                                      (first + g) * small->width + left;
                for (ptrdiff_t i = 0; i < columns; i++)
                    out[i] = NARROW(K(dot)(row + i * stride, weights, padded));
            }
    }
    free(scratch);
    return 1;
}

/* Filter lines of `count` values with symmetric weights, edges repeated, in place. The lines lie
 * side by side: value i of line k is at data[i * step + k]. */
static int K(blur_columns)(void *planes, ptrdiff_t count, ptrdiff_t step, ptrdiff_t lines,
                           const void *taps, ptrdiff_t radius)
{
    SMALL *RESTRICT data = (SMALL *)planes;
    const REAL *RESTRICT weights = (const REAL *)taps;
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
        const REAL *RESTRICT centre = copy + (i + radius) * lines;
        SMALL *RESTRICT out = data + i * step;
        for (ptrdiff_t k = 0; k < lines; k++)
            sums[k] = weights[radius] * centre[k];
        for (ptrdiff_t t = 1; t <= radius; t++) {
            const REAL *RESTRICT a = centre - t * lines, *RESTRICT b = centre + t * lines;
            const REAL weight = weights[radius + t];
            for (ptrdiff_t k = 0; k < lines; k++)
                sums[k] += weight * (a[k] + b[k]);
        }
        for (ptrdiff_t k = 0; k < lines; k++)
            out[k] = NARROW(sums[k]);
    }
    free(copy);
    return 1;
}

/* Filter one line along itself: `padded` holds count + 2 radius values. */
static void K(blur_line)(const REAL *RESTRICT padded, REAL *RESTRICT out, ptrdiff_t count,
                         const REAL *RESTRICT weights, ptrdiff_t radius)
{
    const REAL *RESTRICT centre = padded + radius;
    for (ptrdiff_t i = 0; i < count; i++)
        out[i] = weights[radius] * centre[i];
    for (ptrdiff_t t = 1; t <= radius; t++) {
        const REAL weight = weights[radius + t];
        for (ptrdiff_t i = 0; i < count; i++)
            out[i] += weight * (centre[i - t] + centre[i + t]);
    }
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
            K(blur_line)(padded, sums, width, (const REAL *)taps, radius);
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
    const ptrdiff_t pitch = (TILE + 2 * radius + 15) / 16 * 16;
    const REAL *weights = (const REAL *)taps;
    REAL *scratch = (REAL *)allocate((size_t)(pitch * (3 + 3 * tall + 1)), sizeof(REAL));
    REAL *codes = scratch, *linear, *line;
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
                const REAL *RESTRICT centre = linear + (3 * (y + radius) + c) * pitch;
                for (ptrdiff_t i = 0; i < wide; i++)
                    line[i] = weights[radius] * centre[i];
                for (ptrdiff_t t = 1; t <= radius; t++) {
                    const REAL *RESTRICT a = centre - 3 * t * pitch;
                    const REAL *RESTRICT b = centre + 3 * t * pitch;
                    const REAL weight = weights[radius + t];
                    for (ptrdiff_t i = 0; i < wide; i++)
                        line[i] += weight * (a[i] + b[i]);
                }
                K(blur_line)(line, (REAL *)planes + (c * rows + y) * from->width + left, columns,
                             weights, radius);
            }
    }
    free(scratch);
    return 1;
}

/* Expand one row of the small copy: `out` gets stride values for each of `blocks` small pixels.
 * `lanes` is the stride rounded up to 8; what is written beyond the stride is overwritten by the
 * next block, so `out` needs `lanes` values of room behind its end. */
static void K(expand_row)(const SMALL *RESTRICT row, REAL *RESTRICT out, ptrdiff_t blocks,
                          ptrdiff_t stride, ptrdiff_t lanes, const REAL *RESTRICT phases)
{
    for (ptrdiff_t j = 0; j < blocks; j++) {
        const REAL a = WIDEN(row[j]), b = WIDEN(row[j + 1]), c = WIDEN(row[j + 2]),
                   d = WIDEN(row[j + 3]), e = WIDEN(row[j + 4]), f = WIDEN(row[j + 5]),
                   g = WIDEN(row[j + 6]), h = WIDEN(row[j + 7]);
        for (ptrdiff_t lane = 0; lane < lanes; lane += 8) {
            const REAL *RESTRICT w = phases + lane;
            REAL *RESTRICT to = out + j * stride + lane;
            for (int i = 0; i < 8; i++)
                to[i] = ((a * w[i] + b * w[lanes + i]) +
                         (c * w[2 * lanes + i] + d * w[3 * lanes + i])) +
                        ((e * w[4 * lanes + i] + f * w[5 * lanes + i]) +
                         (g * w[6 * lanes + i] + h * w[7 * lanes + i]));
        }
    }
}

static void K(expand_column)(const REAL *RESTRICT rows, ptrdiff_t pitch, const REAL *RESTRICT w,
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
