/* Resampling of gazeshift.resample in one pass over the picture: each output row is mixed from the
 * input rows it covers, then across. The same sums in the same order as the numpy code, so that
 * both give the same bits; it is compiled without contraction of products and sums.
 *
 * The module takes addresses; gazeshift.resample is the only caller and checks every array. Without
 * Python (GAZESHIFT_KERNEL_ALONE) the loops can be included by a C program, for the sanitizers. */
#if !defined(GAZESHIFT_KERNEL_ALONE)
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030A0000
#include <Python.h>
#endif

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(_MSC_VER)
#define RESTRICT __restrict
#else
#define RESTRICT restrict
#endif

/* Values of a row that are summed at a time; their sums stay in the nearest cache. */
#define BLOCK 4096

/* A fraction is a byte that counts as code / 255 before anything is summed. */
enum { KIND_U8 = 0, KIND_U16 = 1, KIND_F32 = 2, KIND_FRACTION = 3 };
#define AS_IT_IS(value) (value)
#define AS_FRACTION(value) ((float)(value) * (float)(1.0 / 255.0))

/* How one output position is made of input positions; see gazeshift.resample.Cell. */
typedef struct {
    int64_t first, count;
    float first_weight, inner_weight, last_weight, unused;
} cell;

#define DEFINE_MIX(NAME, VALUE, SUM, READ)                                                         \
    static void NAME(const char *RESTRICT rows, ptrdiff_t stride, const cell *RESTRICT at,         \
                     ptrdiff_t left, ptrdiff_t count, SUM *RESTRICT sums, float *RESTRICT out)     \
    {                                                                                              \
        const VALUE *RESTRICT first = (const VALUE *)(rows + at->first * stride) + left;           \
        const char *behind = rows + (at->first + at->count - 1) * stride;                          \
        const VALUE *RESTRICT last = (const VALUE *)behind + left;                                 \
        const float w0 = at->first_weight, w1 = at->inner_weight, w2 = at->last_weight;            \
        for (ptrdiff_t i = 0; i < count; i++)                                                      \
            out[i] = (float)READ(first[i]) * w0;                                                   \
        if (at->count > 2) {                                                                       \
            const VALUE *RESTRICT inner =                                                          \
                (const VALUE *)(rows + (at->first + 1) * stride) + left;                           \
            for (ptrdiff_t i = 0; i < count; i++)                                                  \
                sums[i] = (SUM)READ(inner[i]);                                                     \
            for (int64_t row = 2; row < at->count - 1; row++) {                                    \
                inner = (const VALUE *)(rows + (at->first + row) * stride) + left;                 \
                for (ptrdiff_t i = 0; i < count; i++)                                              \
                    sums[i] = (SUM)(sums[i] + READ(inner[i]));                                     \
            }                                                                                      \
            for (ptrdiff_t i = 0; i < count; i++)                                                  \
                out[i] += (float)sums[i] * w1;                                                     \
        }                                                                                          \
        if (at->count > 1)                                                                         \
            for (ptrdiff_t i = 0; i < count; i++)                                                  \
                out[i] += (float)READ(last[i]) * w2;                                               \
    }

DEFINE_MIX(mix_u8_few, uint8_t, uint16_t, AS_IT_IS)
DEFINE_MIX(mix_u8, uint8_t, uint32_t, AS_IT_IS)
DEFINE_MIX(mix_u16, uint16_t, uint32_t, AS_IT_IS)
DEFINE_MIX(mix_f32, float, float, AS_IT_IS)
DEFINE_MIX(mix_fraction, uint8_t, float, AS_FRACTION)

#define DEFINE_ACROSS(NAME, CHANNELS)                                                              \
    static void NAME(const float *RESTRICT row, const cell *RESTRICT cells, ptrdiff_t width,       \
                     float *RESTRICT out)                                                          \
    {                                                                                              \
        for (ptrdiff_t x = 0; x < width; x++, out += CHANNELS) {                                   \
            const cell at = cells[x];                                                              \
            const float *RESTRICT from = row + at.first * CHANNELS;                                \
            float sums[CHANNELS];                                                                  \
            for (int c = 0; c < CHANNELS; c++) {                                                   \
                out[c] = from[c] * at.first_weight;                                                \
                sums[c] = from[(at.count > 2 ? CHANNELS : 0) + c];                                 \
            }                                                                                      \
            for (int64_t k = 2; k < at.count - 1; k++)                                             \
                for (int c = 0; c < CHANNELS; c++)                                                 \
                    sums[c] += from[k * CHANNELS + c];                                             \
            for (int c = 0; c < CHANNELS; c++) {                                                   \
                if (at.count > 2)                                                                  \
                    out[c] += sums[c] * at.inner_weight;                                           \
                if (at.count > 1)                                                                  \
                    out[c] += from[(at.count - 1) * CHANNELS + c] * at.last_weight;                \
            }                                                                                      \
        }                                                                                          \
    }

DEFINE_ACROSS(across_1, 1)
DEFINE_ACROSS(across_3, 3)

typedef struct {
    const char *rows;
    ptrdiff_t stride, columns;
    int kind, channels;
    const cell *down, *across;
    ptrdiff_t top, bottom, width;
    float *out;
} job;

static int resample(const job *work)
{
    const ptrdiff_t values = work->columns * work->channels;
    float *tall = malloc((size_t)values * sizeof *tall);
    float *sums = malloc(BLOCK * sizeof *sums);
    const int is_ready = tall != NULL && sums != NULL;
    for (ptrdiff_t y = work->top; is_ready && y < work->bottom; y++) {
        const cell *at = work->down + y;
        for (ptrdiff_t left = 0; left < values; left += BLOCK) {
            const ptrdiff_t count = values - left < BLOCK ? values - left : BLOCK;
            float *out = tall + left;
            if (work->kind == KIND_F32)
                mix_f32(work->rows, work->stride, at, left, count, sums, out);
            else if (work->kind == KIND_FRACTION)
                mix_fraction(work->rows, work->stride, at, left, count, sums, out);
            else if (work->kind == KIND_U16)
                mix_u16(work->rows, work->stride, at, left, count, (uint32_t *)sums, out);
            else if (at->count <= 257)
                mix_u8_few(work->rows, work->stride, at, left, count, (uint16_t *)sums, out);
            else
                mix_u8(work->rows, work->stride, at, left, count, (uint32_t *)sums, out);
        }
        float *out = work->out + y * work->width * work->channels;
        if (work->channels == 3)
            across_3(tall, work->across, work->width, out);
        else
            across_1(tall, work->across, work->width, out);
    }
    free(sums);
    free(tall);
    return is_ready;
}

#if !defined(GAZESHIFT_KERNEL_ALONE)

static const void *address(unsigned long long number)
{
    return (const void *)(uintptr_t)number;
}

static PyObject *py_resample(PyObject *self, PyObject *arguments)
{
    job work = {0};
    unsigned long long rows, down, across, out;
    int is_done;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "KnniiKKnnnK", &rows, &work.stride, &work.columns, &work.kind,
                          &work.channels, &down, &across, &work.top, &work.bottom, &work.width,
                          &out))
        return NULL;
    work.rows = address(rows);
    work.down = address(down);
    work.across = address(across);
    work.out = (float *)(uintptr_t)out;
    Py_BEGIN_ALLOW_THREADS
    is_done = resample(&work);
    Py_END_ALLOW_THREADS
    if (!is_done)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"resample", py_resample, METH_VARARGS, "Compute rows of the resampled picture."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "gazeshift.kernel._shrink", "Native resampling.", 0, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__shrink(void)
{
    return PyModuleDef_Init(&module);
}

#endif
