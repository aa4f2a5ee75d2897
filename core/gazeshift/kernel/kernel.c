/* Native render kernel of GazeShift: the loops of kernel.h, once per instruction set, and a thin
 * Python module around them. Without Python (GAZESHIFT_KERNEL_ALONE) the loops can be included by
 * a C program, which is how the sanitizer tests run them.
 *
 * The module takes addresses; gazeshift.kernel is the only caller and checks every array. */
#if !defined(GAZESHIFT_KERNEL_ALONE)
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030A0000
#include <Python.h>
#endif

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(_MSC_VER)
#define RESTRICT __restrict
#else
#define RESTRICT restrict
#endif

#define MARGIN 3
#define TILE 256
#define BITS_OF_ONE 0x3F800000
#define BITS_OF_NEGATIVE_ZERO INT32_MIN

enum { KIND_U8 = 0, KIND_U16 = 1, KIND_F32 = 2 };
enum { MODE_IDENTITY = 0, MODE_CODES = 1, MODE_LIGHT = 2 };
enum { BLUR_NONE = 0, BLUR_SMALL = 1, BLUR_PLANES = 2 };

/* Rows of a picture that are in memory. */
typedef struct {
    const char *pixels; /* row `top` */
    ptrdiff_t row_stride;
    ptrdiff_t top, height, width; /* height and width of the whole picture */
    int kind;
    float scale; /* from codes to 0-1 */
} source;

/* The blur's small copy: three planes, margins included. */
typedef struct {
    float *planes;
    ptrdiff_t height, width, stride;
    const float *taps;   /* 6 stride - 1 taps of the reduction */
    const float *phases; /* 6 rows of (stride rounded up to 8) taps of the expansion */
} small_copy;

/* One region: what is looked up, and by what. */
typedef struct {
    int mode;
    float amount;
    const float *table; /* codes: 3 x entries; light: 3 x entries pairs of value and step */
    ptrdiff_t entries;
} chain;

typedef struct {
    chain front, back;
    small_copy small;
    int blur;
    const float *planes; /* blurred rows from planes_top on */
    ptrdiff_t plane_stride, planes_top;
    const char *mask; /* first row that is rendered */
    ptrdiff_t mask_stride;
    char *out; /* first row that is rendered */
    ptrdiff_t out_stride;
} drawing;

static float *allocate(size_t floats)
{
    return (float *)calloc(floats + 16, sizeof(float));
}

static ptrdiff_t floor_divide(ptrdiff_t a, ptrdiff_t b)
{
    ptrdiff_t quotient = a / b;
    return a % b != 0 && a < 0 ? quotient - 1 : quotient;
}

static ptrdiff_t ceil_divide(ptrdiff_t a, ptrdiff_t b)
{
    return -floor_divide(-a, b);
}

/* Nearest integer, halves to even: adding 1.5 * 2^23 leaves the integer in the low bits. */
static int32_t round_code(float code)
{
    union {
        float number;
        int32_t bits;
    } sum;
    sum.number = code + 12582912.0f;
    return sum.bits - 0x4B400000;
}

/* One set of loops for each instruction set. */
typedef struct {
    const char *name;
    int (*reduce)(const source *, const small_copy *, ptrdiff_t, ptrdiff_t);
    int (*blur_columns)(float *, ptrdiff_t, ptrdiff_t, ptrdiff_t, const float *, ptrdiff_t);
    int (*blur_rows)(const small_copy *, const float *, ptrdiff_t, ptrdiff_t, ptrdiff_t);
    int (*blur_narrow)(const source *, const float *, ptrdiff_t, ptrdiff_t, ptrdiff_t, float *);
    int (*draw)(const source *, const drawing *, ptrdiff_t, ptrdiff_t);
} loops;

#define LOOPS(label) {label, K(reduce), K(blur_columns), K(blur_rows), K(blur_narrow), K(draw)}

#define K(name) name##_base
#include "kernel.h"
#if defined(__aarch64__) || defined(_M_ARM64)
static const loops base_loops = LOOPS("neon");
#elif defined(__x86_64__) || defined(_M_X64)
static const loops base_loops = LOOPS("sse2");
#else
static const loops base_loops = LOOPS("plain");
#endif
#undef K

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define HAS_X86_LEVELS 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi2")
#endif
#define K(name) name##_avx2
#include "kernel.h"
static const loops avx2_loops = LOOPS("avx2");
#undef K
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,bmi2"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,bmi2,prefer-vector-width=512")
#endif
#define K(name) name##_avx512
#include "kernel.h"
static const loops avx512_loops = LOOPS("avx512");
#undef K
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

/* The sets that this processor can run, the best first; returns their number. */
static int usable_loops(const loops **found)
{
    int count = 0;
#if defined(HAS_X86_LEVELS)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        found[count++] = &avx512_loops;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2"))
        found[count++] = &avx2_loops;
#endif
    found[count++] = &base_loops;
    return count;
}

#if !defined(GAZESHIFT_KERNEL_ALONE)

static const loops *loops_named(const char *name)
{
    const loops *found[3];
    int count = usable_loops(found);
    for (int i = 0; i < count; i++)
        if (strcmp(found[i]->name, name) == 0)
            return found[i];
    PyErr_Format(PyExc_ValueError, "this processor has no kernel named %s", name);
    return NULL;
}

static void *address(unsigned long long number)
{
    return (void *)(uintptr_t)number;
}

/* Turn a loop's status into Python's: -1 is the caller's business, 0 is out of memory. */
static PyObject *answer(int status)
{
    if (status == 0)
        return PyErr_NoMemory();
    return PyLong_FromLong(status);
}

/* Arguments that describe a picture and a small copy, as gazeshift.kernel packs them. */
#define SOURCE_FORMAT "(Knnnnif)"
#define SMALL_FORMAT "(KnnnKK)"
#define CHAIN_FORMAT "(ifKn)"

typedef unsigned long long number;

static source make_source(number pixels, source given)
{
    given.pixels = (const char *)address(pixels);
    return given;
}

static small_copy make_small(number planes, number taps, number phases, small_copy given)
{
    given.planes = (float *)address(planes);
    given.taps = (const float *)address(taps);
    given.phases = (const float *)address(phases);
    return given;
}

static PyObject *py_levels(PyObject *self, PyObject *unused)
{
    const loops *found[3];
    int count = usable_loops(found);
    PyObject *names = PyList_New(0);
    (void)self;
    (void)unused;
    for (int i = 0; names != NULL && i < count; i++) {
        PyObject *name = PyUnicode_FromString(found[i]->name);
        if (name == NULL || PyList_Append(names, name) < 0)
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static PyObject *py_reduce(PyObject *self, PyObject *arguments)
{
    const char *level;
    const loops *run;
    source from = {0};
    small_copy small = {0};
    number pixels, planes, taps, phases;
    Py_ssize_t first, last;
    int status;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "s" SOURCE_FORMAT SMALL_FORMAT "nn", &level, &pixels,
                          &from.row_stride, &from.top, &from.height, &from.width, &from.kind,
                          &from.scale, &planes, &small.height, &small.width, &small.stride, &taps,
                          &phases, &first, &last) ||
        (run = loops_named(level)) == NULL)
        return NULL;
    from = make_source(pixels, from);
    small = make_small(planes, taps, phases, small);
    Py_BEGIN_ALLOW_THREADS
    status = run->reduce(&from, &small, first, last);
    Py_END_ALLOW_THREADS
    return answer(status);
}

static PyObject *py_blur_columns(PyObject *self, PyObject *arguments)
{
    const char *level;
    const loops *run;
    number data, weights;
    Py_ssize_t count, step, lines, radius;
    int status;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "sKnnnKn", &level, &data, &count, &step, &lines, &weights,
                          &radius) ||
        (run = loops_named(level)) == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = run->blur_columns((float *)address(data), count, step, lines,
                               (const float *)address(weights), radius);
    Py_END_ALLOW_THREADS
    return answer(status);
}

static PyObject *py_blur_rows(PyObject *self, PyObject *arguments)
{
    const char *level;
    const loops *run;
    small_copy small = {0};
    number planes, taps, phases, weights;
    Py_ssize_t radius, first, last;
    int status;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "s" SMALL_FORMAT "Knnn", &level, &planes, &small.height,
                          &small.width, &small.stride, &taps, &phases, &weights, &radius, &first,
                          &last) ||
        (run = loops_named(level)) == NULL)
        return NULL;
    small = make_small(planes, taps, phases, small);
    Py_BEGIN_ALLOW_THREADS
    status = run->blur_rows(&small, (const float *)address(weights), radius, first, last);
    Py_END_ALLOW_THREADS
    return answer(status);
}

static PyObject *py_blur_narrow(PyObject *self, PyObject *arguments)
{
    const char *level;
    const loops *run;
    source from = {0};
    number pixels, weights, planes;
    Py_ssize_t radius, first, last;
    int status;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "s" SOURCE_FORMAT "KnnnK", &level, &pixels, &from.row_stride,
                          &from.top, &from.height, &from.width, &from.kind, &from.scale, &weights,
                          &radius, &first, &last, &planes) ||
        (run = loops_named(level)) == NULL)
        return NULL;
    from = make_source(pixels, from);
    Py_BEGIN_ALLOW_THREADS
    status = run->blur_narrow(&from, (const float *)address(weights), radius, first, last,
                              (float *)address(planes));
    Py_END_ALLOW_THREADS
    return answer(status);
}

static PyObject *py_draw(PyObject *self, PyObject *arguments)
{
    const char *level;
    const loops *run;
    source from = {0};
    drawing job = {0};
    number pixels, small, taps, phases, front, back, planes, mask, out;
    Py_ssize_t first, last;
    int status;
    (void)self;
    if (!PyArg_ParseTuple(arguments,
                          "s" SOURCE_FORMAT CHAIN_FORMAT CHAIN_FORMAT SMALL_FORMAT
                          "i(Knn)(Kn)(Kn)nn",
                          &level, &pixels, &from.row_stride, &from.top, &from.height, &from.width,
                          &from.kind, &from.scale, &job.front.mode, &job.front.amount, &front,
                          &job.front.entries, &job.back.mode, &job.back.amount, &back,
                          &job.back.entries, &small, &job.small.height, &job.small.width,
                          &job.small.stride, &taps, &phases, &job.blur, &planes,
                          &job.plane_stride, &job.planes_top, &mask, &job.mask_stride, &out,
                          &job.out_stride, &first, &last) ||
        (run = loops_named(level)) == NULL)
        return NULL;
    from = make_source(pixels, from);
    job.small = make_small(small, taps, phases, job.small);
    job.front.table = (const float *)address(front);
    job.back.table = (const float *)address(back);
    job.planes = (const float *)address(planes);
    job.mask = (const char *)address(mask);
    job.out = (char *)address(out);
    Py_BEGIN_ALLOW_THREADS
    status = run->draw(&from, &job, first, last);
    Py_END_ALLOW_THREADS
    return answer(status);
}

static PyMethodDef methods[] = {
    {"levels", py_levels, METH_NOARGS, "Names of the instruction sets that can run, best first."},
    {"reduce", py_reduce, METH_VARARGS, "Compute rows of the blur's small copy."},
    {"blur_columns", py_blur_columns, METH_VARARGS, "Blur columns of the small copy in place."},
    {"blur_rows", py_blur_rows, METH_VARARGS, "Blur rows of the small copy in place."},
    {"blur_narrow", py_blur_narrow, METH_VARARGS, "Blur full-size rows directly."},
    {"draw", py_draw, METH_VARARGS, "Render rows."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "gazeshift.kernel._native", "Native render kernel.", 0, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&module);
}

#endif
