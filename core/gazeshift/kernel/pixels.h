/* Pixels to planes, to linear light and back; see depths.h. */

/* Widen pixels [left, left + count) of a row to codes, one plane per channel. */
static void K(load)(const void *RESTRICT row, int kind, ptrdiff_t left, ptrdiff_t count,
                    REAL *RESTRICT planes, ptrdiff_t pitch)
{
    REAL *RESTRICT r = planes, *RESTRICT g = planes + pitch, *RESTRICT b = planes + 2 * pitch;
#if DEEP
    if (kind == KIND_U16) {
        const uint16_t *RESTRICT p = (const uint16_t *)row + 3 * left;
        for (ptrdiff_t i = 0; i < count; i++) {
            r[i] = (REAL)p[3 * i];
            g[i] = (REAL)p[3 * i + 1];
            b[i] = (REAL)p[3 * i + 2];
        }
    } else {
        const float *RESTRICT p = (const float *)row + 3 * left;
        for (ptrdiff_t i = 0; i < count; i++) {
            r[i] = (REAL)p[3 * i];
            g[i] = (REAL)p[3 * i + 1];
            b[i] = (REAL)p[3 * i + 2];
        }
    }
#else
    const uint8_t *RESTRICT p = (const uint8_t *)row + 3 * left;
    (void)kind;
    for (ptrdiff_t i = 0; i < count; i++) {
        r[i] = (REAL)p[3 * i];
        g[i] = (REAL)p[3 * i + 1];
        b[i] = (REAL)p[3 * i + 2];
    }
#endif
}

/* Round planes of codes (or narrow them to floats) and interleave them into a row. */
static void K(store)(void *RESTRICT row, int kind, ptrdiff_t left, ptrdiff_t count,
                     const REAL *RESTRICT r, const REAL *RESTRICT g, const REAL *RESTRICT b)
{
#if DEEP
    if (kind == KIND_U16) {
        uint16_t *RESTRICT p = (uint16_t *)row + 3 * left;
        for (ptrdiff_t i = 0; i < count; i++) {
            p[3 * i] = (uint16_t)round_deep(r[i]);
            p[3 * i + 1] = (uint16_t)round_deep(g[i]);
            p[3 * i + 2] = (uint16_t)round_deep(b[i]);
        }
    } else {
        float *RESTRICT p = (float *)row + 3 * left;
        for (ptrdiff_t i = 0; i < count; i++) {
            p[3 * i] = (float)r[i];
            p[3 * i + 1] = (float)g[i];
            p[3 * i + 2] = (float)b[i];
        }
    }
#else
    uint8_t *RESTRICT p = (uint8_t *)row + 3 * left;
    (void)kind;
    for (ptrdiff_t i = 0; i < count; i++) {
        p[3 * i] = (uint8_t)round_code(r[i]);
        p[3 * i + 1] = (uint8_t)round_code(g[i]);
        p[3 * i + 2] = (uint8_t)round_code(b[i]);
    }
#endif
}

/* One value between 0 and 1 in linear light. The power is a polynomial in the root; its relative
 * error is 1.2e-7, or 4e-11 in double precision. */
FORCE_INLINE REAL K(light_of)(REAL x)
{
    const REAL z = ROOT((x + (REAL)0.055) * (REAL)(1.0 / 1.055));
#if DEEP
    REAL power = 0.002070860623732369;
    power = power * z - 0.016315023680124194;
    power = power * z + 0.059735621834024095;
    power = power * z - 0.13692841158386718;
    power = power * z + 0.22818480279287942;
    power = power * z - 0.3300627339887133;
    power = power * z + 1.097826802753116;
    power = power * z + 0.1068942222487028;
    power = power * z - 0.01274046129797498;
    power = power * z + 0.0014404729530734794;
    power = power * z - 0.00011020511335199656;
    power = power * z + 4.052493000700208e-06;
#else
    REAL power = 0.012233911082148552f;
    power = power * z - 0.09030021727085114f;
    power = power * z + 0.9111096262931824f;
    power = power * z + 0.2073337882757187f;
    power = power * z - 0.04903705045580864f;
    power = power * z + 0.00981123372912407f;
    power = power * z - 0.0012192900758236647f;
    power = power * z + 6.812094943597913e-05f;
#endif
    return x <= (REAL)0.04045 ? x * (REAL)(1.0 / 12.92) : power;
}

/* Decode codes to linear light. */
static void K(decode)(const REAL *RESTRICT codes, REAL *RESTRICT linear, ptrdiff_t count,
                      REAL scale)
{
    for (ptrdiff_t i = 0; i < count; i++)
        linear[i] = K(light_of)(codes[i] * scale);
}

/* Decode pixels [left, left + count) of row y, still interleaved; edges are repeated beyond the
 * picture. */
static void K(linear_row)(const source *from, ptrdiff_t y, ptrdiff_t left, ptrdiff_t count,
                          REAL *RESTRICT linear)
{
    const ptrdiff_t first = left < 0 ? 0 : left;
    const ptrdiff_t end = left + count < from->width ? left + count : from->width;
    const ptrdiff_t values = 3 * (end - first), before = 3 * (first - left);
    const REAL scale = (REAL)from->scale;
    REAL *RESTRICT inner = linear + before;
    const char *row;
    y = y < 0 ? 0 : y >= from->height ? from->height - 1 : y;
    row = from->pixels + (y - from->top) * from->row_stride;
#if DEEP
    if (from->kind == KIND_U16) {
        const uint16_t *RESTRICT p = (const uint16_t *)row + 3 * first;
        for (ptrdiff_t i = 0; i < values; i++)
            inner[i] = K(light_of)((REAL)p[i] * scale);
    } else {
        const float *RESTRICT p = (const float *)row + 3 * first;
        for (ptrdiff_t i = 0; i < values; i++)
            inner[i] = K(light_of)((REAL)p[i] * scale);
    }
#else
    const uint8_t *RESTRICT p = (const uint8_t *)row + 3 * first;
    for (ptrdiff_t i = 0; i < values; i++)
        inner[i] = K(light_of)((REAL)p[i] * scale);
#endif
    for (ptrdiff_t i = before - 1; i >= 0; i--)
        linear[i] = linear[i + 3];
    for (ptrdiff_t i = before + values; i < 3 * count; i++)
        linear[i] = linear[i - 3];
}
