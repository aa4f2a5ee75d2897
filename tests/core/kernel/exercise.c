/* Runs every loop of the render kernel on buffers of exactly the right size, so that the address,
 * undefined-behaviour and thread sanitizers see every access; run_sanitizers.sh builds it.
 *
 * Checks that all instruction sets agree, that threads change nothing, and that a flat picture
 * without curves stays as it is. Exits with 1 and a message otherwise. */
#define GAZESHIFT_KERNEL_ALONE
#include "../../../core/gazeshift/kernel/kernel.c"

#include <pthread.h>
#include <stdio.h>

#define THREADS 4
#define STRIP 16
#define CELLS 256

typedef struct {
    const loops *run;
    source from;
    small_copy small;
    drawing job;
    void *weights;
    ptrdiff_t radius;
    int worker, workers, stage;
} task;

static unsigned state = 1;

static float random_unit(void)
{
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 16777216.0f;
}

static double b_spline(double x)
{
    static const double binomial[9] = {1, -8, 28, -56, 70, -56, 28, -8, 1};
    double total = 0;
    for (int k = 0; k < 9; k++) {
        double t = x + 4 - k;
        if (t > 0)
            total += binomial[k] * t * t * t * t * t * t * t;
    }
    return total / 5040;
}

/* Numbers of the loops' own precision. */
static void *numbers(ptrdiff_t count, int is_deep)
{
    return calloc((size_t)count, is_deep ? sizeof(double) : sizeof(float));
}

static void put(void *array, ptrdiff_t index, double value, int is_deep)
{
    if (is_deep)
        ((double *)array)[index] = value;
    else
        ((float *)array)[index] = (float)value;
}

static void must(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "exercise: %s\n", what);
        exit(1);
    }
}

/* Reduce with no more rows in memory than gazeshift.blur.BlurPlan.rows_of asks for. */
static void reduce_from_band(const task *t, ptrdiff_t top, ptrdiff_t bottom)
{
    static const size_t sizes[] = {1, 2, 4};
    const ptrdiff_t stride = t->small.stride, reach = MARGIN * stride - 1;
    const ptrdiff_t row = 3 * t->from.width * (ptrdiff_t)sizes[t->from.kind];
    ptrdiff_t first = stride * (top - MARGIN) - reach;
    ptrdiff_t last = stride * (bottom - 1 - MARGIN) + reach + 1;
    source band = t->from;
    char *pixels;
    first = first < 0 ? 0 : first > band.height - 1 ? band.height - 1 : first;
    last = last > band.height ? band.height : last < first + 1 ? first + 1 : last;
    pixels = malloc((size_t)(row * (last - first)));
    must(pixels != NULL, "no memory");
    for (ptrdiff_t y = first; y < last; y++)
        memcpy(pixels + (y - first) * row,
               t->from.pixels + (y - t->from.top) * t->from.row_stride, (size_t)row);
    band.pixels = pixels;
    band.row_stride = row;
    band.top = first;
    must(t->run->reduce(&band, &t->small, top, bottom) == 1, "reduce failed");
    free(pixels);
}

/* The blur expanded to planes first, as previews keep it, gives the very same picture. */
static void draw_again(const task *t, drawing job, ptrdiff_t top, ptrdiff_t bottom)
{
    static const size_t sizes[] = {1, 2, 4};
    const ptrdiff_t row = 3 * t->from.width * (ptrdiff_t)sizes[t->from.kind];
    const ptrdiff_t size = (bottom - top) * t->from.width;
    void *planes = numbers(3 * size, t->from.kind != KIND_U8);
    char *drawn = job.out, *again = malloc((size_t)(row * (bottom - top)));
    must(planes && again && t->run->expand(&t->small, t->from.width, top, bottom, planes) == 1,
         "expand failed");
    job.blur = BLUR_PLANES;
    job.planes = planes;
    job.plane_stride = size;
    job.planes_top = top;
    job.out = again;
    job.out_stride = row;
    must(t->run->draw(&t->from, &job, top, bottom) == 1, "draw from planes failed");
    for (ptrdiff_t y = 0; y < bottom - top; y++)
        must(memcmp(drawn + y * t->job.out_stride, again + y * row, (size_t)row) == 0,
             "planes give another picture than the small copy");
    free(planes);
    free(again);
}

/* One worker's part of one stage; strips are dealt out in turn. */
static void *work(void *argument)
{
    const task *t = argument;
    const ptrdiff_t rows = t->stage == 3 ? t->from.height : t->small.height;
    if (t->stage == 1) {
        for (ptrdiff_t left = 8 * t->worker; left < t->small.width; left += 8 * t->workers)
            for (int c = 0; c < 3; c++)
                must(t->run->blur_columns(
                         (int32_t *)t->small.planes + c * t->small.height * t->small.width + left,
                         t->small.height, t->small.width,
                         t->small.width - left < 8 ? t->small.width - left : 8, t->weights,
                         t->radius) == 1, "blur_columns failed");
        return NULL;
    }
    for (ptrdiff_t top = STRIP * t->worker; top < rows; top += STRIP * t->workers) {
        ptrdiff_t bottom = top + STRIP < rows ? top + STRIP : rows;
        if (t->stage == 0) {
            reduce_from_band(t, top, bottom);
        } else if (t->stage == 2) {
            must(t->run->blur_rows(&t->small, t->weights, t->radius, top, bottom) == 1,
                 "blur_rows failed");
        } else {
            drawing job = t->job;
            void *strip = NULL;
            job.mask += top * job.mask_stride;
            job.out += top * job.out_stride;
            if (job.blur == BLUR_PLANES) {
                ptrdiff_t size = (bottom - top) * t->from.width;
                strip = numbers(3 * size, t->from.kind != KIND_U8);
                must(strip && t->run->blur_narrow(&t->from, t->weights, t->radius, top, bottom,
                                                  strip) == 1, "blur_narrow failed");
                job.planes = strip;
                job.plane_stride = size;
                job.planes_top = top;
            }
            must(t->run->draw(&t->from, &job, top, bottom) == 1, "draw failed");
            if (job.blur == BLUR_SMALL)
                draw_again(t, job, top, bottom);
            free(strip);
        }
    }
    return NULL;
}

static void run_stages(task base, int workers)
{
    for (base.stage = base.small.stride > 1 ? 0 : 3; base.stage < 4; base.stage++) {
        pthread_t threads[THREADS];
        task tasks[THREADS];
        for (int i = 0; i < workers; i++) {
            tasks[i] = base;
            tasks[i].worker = i;
            tasks[i].workers = workers;
            must(pthread_create(&threads[i], NULL, work, &tasks[i]) == 0, "no thread");
        }
        for (int i = 0; i < workers; i++)
            pthread_join(threads[i], NULL);
    }
}

static void exercise(int kind, ptrdiff_t height, ptrdiff_t width, ptrdiff_t stride, int modes)
{
    static const size_t sizes[3] = {1, 2, 4};
    static const float tops[3] = {255.0f, 65535.0f, 1.0f};
    static const ptrdiff_t levels[3] = {256, 65536, 256};
    const size_t values = (size_t)(height * width * 3), bytes = values * sizes[kind];
    const ptrdiff_t lanes = (stride + 7) / 8 * 8, taps = ORDER * stride - 1;
    const ptrdiff_t entries = 513;
    const int is_deep = kind != KIND_U8;
    const ptrdiff_t small_height = (height - 1) / stride + 2 * MARGIN + 2;
    const ptrdiff_t small_width = (width - 1) / stride + 2 * MARGIN + 2;
    const level *found[3];
    int count = usable_levels(found);
    task base = {0};
    unsigned char *pixels = malloc(bytes), *first = malloc(bytes), *out = malloc(bytes);
    float *mask = malloc(sizeof(float) * (size_t)(height * width));
    void *tap = numbers(taps, is_deep), *phases = numbers(ORDER * lanes, is_deep);
    void *pairs = numbers(6 * entries, is_deep);
    void *table = numbers(3 * levels[kind], is_deep);
    double *uppers = malloc(sizeof(double) * (size_t)entries);
    int32_t *cells = malloc(sizeof(int32_t) * CELLS);
    /* Floats and integers alike take four bytes. */
    void *small = malloc(sizeof(float) * (size_t)(3 * small_height * small_width));
    base.radius = 12;
    base.weights = numbers(2 * base.radius + 1, is_deep);
    must(pixels && first && out && mask && tap && phases && pairs && table && uppers && cells &&
             small && base.weights, "no memory");
    for (ptrdiff_t k = 0; k < 2 * base.radius + 1; k++)
        put(base.weights, k, 1.0 / (double)(2 * base.radius + 1), is_deep);
    for (ptrdiff_t k = 0; k < taps; k++)
        put(tap, k, b_spline((double)(k - MARGIN * stride + 1) / (double)stride) / (double)stride,
            is_deep);
    for (ptrdiff_t t = 0; t < ORDER; t++)
        for (ptrdiff_t phase = 0; phase < stride; phase++)
            put(phases, t * lanes + phase,
                b_spline((double)(phase - stride * (t - MARGIN + 1)) / (double)stride), is_deep);
    for (ptrdiff_t i = 0; i < entries; i++) /* pieces that narrow towards 1; the last never ends */
        uppers[i] = i + 1 < entries ? sqrt((double)(i + 1) / (double)entries) : HUGE_VAL;
    for (ptrdiff_t i = 0, piece = 0; i < CELLS; i++) {
        while (uppers[piece] <= (double)i / CELLS)
            piece++;
        cells[i] = (int32_t)piece;
    }
    for (int c = 0; c < 3; c++) {
        for (ptrdiff_t i = 0; i < entries; i++) {
            ptrdiff_t at = 2 * (c * entries + i);
            double root = (double)i / (double)(entries - 1);
            put(pairs, at, is_deep ? 0.0 : root * tops[kind], is_deep);
            put(pairs, at + 1, is_deep          ? tops[kind]
                               : i + 1 < entries ? tops[kind] / (double)(entries - 1)
                                                 : 0.0, is_deep);
        }
        for (ptrdiff_t i = 0; i < levels[kind]; i++)
            put(table, c * levels[kind] + i, tops[kind] - (double)i, is_deep);
    }
    for (size_t i = 0; i < values; i++) {
        float value = random_unit() * tops[kind];
        if (kind == KIND_U8)
            pixels[i] = (unsigned char)value;
        else if (kind == KIND_U16)
            ((uint16_t *)pixels)[i] = (uint16_t)value;
        else
            ((float *)pixels)[i] = value;
    }
    for (ptrdiff_t i = 0; i < height * width; i++) {
        float value = random_unit() * 3.0f - 1.0f;
        mask[i] = value < 0.0f ? 0.0f : value > 1.0f ? 1.0f : value;
    }
    base.from = (source){(const char *)pixels, (ptrdiff_t)(3 * sizes[kind]) * width, 0, height,
                         width, kind, 1.0 / tops[kind]};
    base.small = (small_copy){small, small_height, small_width, stride, tap, phases};
    base.job.front = (chain){MODE_LIGHT, 1.5, pairs, entries, uppers, cells, CELLS};
    base.job.back = base.job.front;
    base.job.back.amount = -1.0;
    if (modes == 1)
        base.job.back = (chain){.mode = MODE_IDENTITY};
    else if (modes == 2 && kind == KIND_F32)
        base.job.back.mode = MODE_VALUES;
    else if (modes == 2)
        base.job.back = (chain){.mode = MODE_CODES, .table = table, .entries = levels[kind]};
    base.job.small = base.small;
    base.job.blur = stride > 1 ? BLUR_SMALL : BLUR_PLANES;
    base.job.mask = (const char *)mask;
    base.job.mask_stride = (ptrdiff_t)sizeof(float) * width;
    base.job.out_stride = base.from.row_stride;
    for (int i = 0; i < count; i++)
        for (int workers = 1; workers <= THREADS; workers += THREADS - 1) {
            int is_first = i == 0 && workers == 1;
            base.run = is_deep ? &found[i]->deep : &found[i]->bytes;
            base.job.out = (char *)(is_first ? first : out);
            run_stages(base, workers);
            for (size_t k = 0; k < values && !is_first; k++) {
                float a, b;
                if (kind == KIND_U8) {
                    a = first[k];
                    b = out[k];
                } else if (kind == KIND_U16) {
                    a = ((uint16_t *)first)[k];
                    b = ((uint16_t *)out)[k];
                } else {
                    a = ((float *)first)[k];
                    b = ((float *)out)[k];
                }
                must(fabsf(a - b) <= (kind == KIND_F32 ? 1e-6f : 1.0f),
                     "the instruction sets or thread counts disagree");
            }
        }
    mask[height * width - 1] = 1.5f;
    must(base.run->draw(&base.from,
                        &(drawing){.front = {.mode = MODE_IDENTITY},
                                   .back = {.mode = MODE_IDENTITY},
                                   .small = {.stride = 1},
                                   .mask = (const char *)mask,
                                   .mask_stride = base.job.mask_stride,
                                   .out = (char *)out,
                                   .out_stride = base.job.out_stride},
                        0, height) == -1, "a bad mask was taken");
    free(pixels), free(first), free(out), free(mask), free(tap), free(phases), free(pairs);
    free(table), free(uppers), free(cells), free(small), free(base.weights);
}

int main(int count, char **arguments)
{
    /* "short" leaves out most strides: the thread sanitizer is slow, and threads share all loops. */
    const int is_short = count > 1 && strcmp(arguments[1], "short") == 0;
    static const ptrdiff_t sizes[][2] = {{1, 1}, {1, 7}, {5, 3}, {33, 65}, {40, 513}, {130, 259}};
    static const ptrdiff_t strides[] = {1, 2, 3, 5, 8, 9, 23, 70};
    for (int kind = 0; kind < 3; kind++)
        for (size_t s = is_short ? 3 : 0; s < sizeof sizes / sizeof sizes[0]; s++)
            for (size_t t = 0; t < sizeof strides / sizeof strides[0]; t += is_short ? 3 : 1)
                for (int modes = 0; modes < 3; modes++)
                    exercise(kind, sizes[s][0], sizes[s][1], strides[t], modes);
    puts("exercise: all loops ran, nothing found");
    return 0;
}
