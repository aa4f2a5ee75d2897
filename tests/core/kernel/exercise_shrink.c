/* Runs the resampling on buffers of exactly the right size, on several threads, so that the address,
 * undefined-behaviour and thread sanitizers see every access; run_sanitizers.sh builds it.
 *
 * Checks that a flat picture stays flat. Exits with 1 and a message otherwise. */
#define GAZESHIFT_KERNEL_ALONE
#include "../../../core/gazeshift/kernel/shrink.c"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#define THREADS 3

/* Cells as gazeshift.resample makes them: areas to shrink, straight lines to grow. */
static cell *make_cells(ptrdiff_t in, ptrdiff_t out)
{
    cell *cells = calloc((size_t)out, sizeof *cells);
    for (ptrdiff_t i = 0; cells != NULL && i < out; i++) {
        if (out <= in) {
            const ptrdiff_t start = i * in, end = (i + 1) * in;
            const ptrdiff_t first = start / out, behind = (end + out - 1) / out;
            const double at_start = (double)((first + 1) * out - start) / (double)in;
            cells[i].first = first;
            cells[i].count = behind - first;
            cells[i].first_weight = behind - first == 1 ? 1.0f : (float)at_start;
            cells[i].inner_weight = (float)out / (float)in;
            cells[i].last_weight = (float)(end - (behind - 1) * out) / (float)in;
        } else if (in == 1) {
            cells[i].count = 1;
            cells[i].first_weight = 1.0f;
        } else {
            double centre = ((double)i + 0.5) * (double)in / (double)out - 0.5;
            centre = fmin(fmax(centre, 0.0), (double)in - 1.0);
            ptrdiff_t first = (ptrdiff_t)centre;
            first = first > in - 2 ? in - 2 : first;
            cells[i].first = first;
            cells[i].count = 2;
            cells[i].first_weight = (float)((double)first + 1.0 - centre);
            cells[i].last_weight = (float)(centre - (double)first);
        }
    }
    return cells;
}

static void *run(void *given)
{
    return resample(given) ? given : NULL;
}

static int try_size(int kind, int channels, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t height,
                    ptrdiff_t width)
{
    static const size_t sizes[] = {1, 2, 4, 1};
    const size_t count = (size_t)(rows * columns * channels);
    const float level = kind == KIND_U8 ? 255.0f : kind == KIND_U16 ? 65535.0f : 1.0f;
    char *pixels = malloc(count * sizes[kind]);
    float *out = calloc((size_t)(height * width * channels), sizeof *out);
    cell *down = make_cells(rows, height), *across = make_cells(columns, width);
    pthread_t threads[THREADS];
    job jobs[THREADS];
    int is_good = pixels != NULL && out != NULL && down != NULL && across != NULL;
    for (size_t i = 0; is_good && i < count; i++) {
        if (kind == KIND_U8 || kind == KIND_FRACTION)
            ((uint8_t *)pixels)[i] = 255;
        else if (kind == KIND_U16)
            ((uint16_t *)pixels)[i] = 65535;
        else
            ((float *)pixels)[i] = 1.0f;
    }
    for (int t = 0; is_good && t < THREADS; t++) {
        const ptrdiff_t stride = columns * channels * (ptrdiff_t)sizes[kind];
        jobs[t] = (job){pixels, stride, columns, kind, channels, down, across,
                        height * t / THREADS, height * (t + 1) / THREADS, width, out};
        is_good = pthread_create(&threads[t], NULL, run, &jobs[t]) == 0;
    }
    for (int t = 0; is_good && t < THREADS; t++) {
        void *answer = NULL;
        is_good = pthread_join(threads[t], &answer) == 0 && answer != NULL;
    }
    for (ptrdiff_t i = 0; is_good && i < height * width * channels; i++)
        is_good = fabsf(out[i] - level) <= 1e-4f * level;
    if (!is_good)
        printf("kind %d, %d channels, %td x %td to %td x %td\n", kind, channels, rows, columns,
               height, width);
    free(pixels);
    free(out);
    free(down);
    free(across);
    return is_good;
}

int main(void)
{
    static const ptrdiff_t shapes[][4] = {
        {1, 1, 1, 1},       {7, 3, 7, 3},     {7, 3, 2, 2},    {300, 1500, 67, 100},
        {1000, 3, 1, 1},    {3, 5000, 3, 9},  {2, 2, 31, 17},  {1, 40, 9, 5},
        {700, 1400, 3, 448}, {61, 89, 60, 88},
    };
    int is_good = 1;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int kind = KIND_U8; kind <= KIND_FRACTION; kind++)
            for (int channels = 1; channels <= 3; channels += 2)
                is_good &= try_size(kind, channels, shapes[i][0], shapes[i][1], shapes[i][2],
                                    shapes[i][3]);
    return is_good ? 0 : 1;
}
