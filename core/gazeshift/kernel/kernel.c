/* Native render kernel of GazeShift: the loops of depths.h, once per instruction set, and a thin
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
#define FORCE_INLINE static __forceinline
#define OWN_REGISTERS static __declspec(noinline)
#else
#define RESTRICT restrict
#define FORCE_INLINE static inline __attribute__((always_inline))
/* For loops with many pointers, which would be spilled inside a larger function. */
#define OWN_REGISTERS static __attribute__((noinline))
#endif

#define ORDER 8
#define MARGIN (ORDER / 2)
#define FIXED_ONE 1073741824.0
#define TILE 256
/* How many rows, pairs of taps and neighbouring values the blur's inner loops take at a time. */
#define ROWS_AT_ONCE 4
#define PAIRS_AT_ONCE 6
#define LANES 16
#define BITS_OF_ONE 0x3F800000
#define BITS_OF_NEGATIVE_ZERO INT32_MIN

enum { KIND_U8 = 0, KIND_U16 = 1, KIND_F32 = 2 };
enum { MODE_IDENTITY = 0, MODE_CODES = 1, MODE_LIGHT = 2, MODE_VALUES = 3 };
enum { BLUR_NONE = 0, BLUR_SMALL = 1, BLUR_PLANES = 2 };

/* Rows of a picture that are in memory. */
typedef struct {
    const char *pixels; /* row `top` */
    ptrdiff_t row_stride;
    ptrdiff_t top, height, width; /* height and width of the whole picture */
    int kind;
    double scale; /* from codes to 0-1 */
} source;

/* The blur's small copy: three planes, margins included. What is `void` here is float for pictures
 * of 8 bits, else double (the planes: int32_t). */
typedef struct {
    void *planes;
    ptrdiff_t height, width, stride;
    const void *taps;   /* ORDER * stride - 1 taps of the reduction */
    const void *phases; /* ORDER rows of (stride rounded up to 8) taps of the expansion */
} small_copy;

/* One region: what is looked up, and by what. */
typedef struct {
    int mode;
    double amount;
    /* Codes: 3 x entries. Light of 8 bits: 3 x entries pairs of value and step. Light and values
     * of other depths: 3 x entries straight pieces, pairs of value at 0 and slope. */
    const void *table;
    ptrdiff_t entries;
    const double *uppers; /* where each straight piece ends */
    const int32_t *cells; /* the first piece in each of equally wide cells */
    ptrdiff_t cell_count;
} chain;

typedef struct {
    chain front, back;
    small_copy small;
    int blur;
    const void *planes; /* blurred rows from planes_top on */
    ptrdiff_t plane_stride, planes_top;
    const char *mask; /* first row that is rendered */
    ptrdiff_t mask_stride;
    char *out; /* first row that is rendered */
    ptrdiff_t out_stride;
} drawing;

static void *allocate(size_t count, size_t size)
{
    return calloc(count + 16, size);
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

/* The same for doubles, with 1.5 * 2^52. */
static int32_t round_deep(double code)
{
    union {
        double number;
        int64_t bits;
    } sum;
    sum.number = code + 6755399441055744.0;
    return (int32_t)sum.bits;
}

/* The loops of one instruction set and depth. */
typedef struct {
    int (*reduce)(const source *, const small_copy *, ptrdiff_t, ptrdiff_t);
    int (*blur_columns)(void *, ptrdiff_t, ptrdiff_t, ptrdiff_t, const void *, ptrdiff_t);
    int (*blur_rows)(const small_copy *, const void *, ptrdiff_t, ptrdiff_t, ptrdiff_t);
    int (*blur_narrow)(const source *, const void *, ptrdiff_t, ptrdiff_t, ptrdiff_t, void *);
    int (*expand)(const small_copy *, ptrdiff_t, ptrdiff_t, ptrdiff_t, void *);
    int (*draw)(const source *, const drawing *, ptrdiff_t, ptrdiff_t);
} loops;

/* One instruction set. */
typedef struct {
    const char *name;
    loops bytes, deep;
} level;

#define PASTE(name, level, depth) name##_##level##_##depth
#define PASTE_VALUES(name, level, depth) PASTE(name, level, depth)
#define K(name) PASTE_VALUES(name, LEVEL, DEPTH)
#define LOOPS(level, depth)                                                                      \
    {PASTE(reduce, level, depth), PASTE(blur_columns, level, depth),                             \
     PASTE(blur_rows, level, depth), PASTE(blur_narrow, level, depth),                       \
     PASTE(expand, level, depth), PASTE(draw, level, depth)}

#define LEVEL base
#include "depths.h"
#undef LEVEL
#if defined(__aarch64__) || defined(_M_ARM64)
#define BASE_NAME "neon"
#elif defined(__x86_64__) || defined(_M_X64)
#define BASE_NAME "sse2"
#else
#define BASE_NAME "plain"
#endif
static const level base_level = {BASE_NAME, LOOPS(base, bytes), LOOPS(base, deep)};

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define HAS_X86_LEVELS 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi2")
#endif
#define LEVEL avx2
#include "depths.h"
#undef LEVEL
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,bmi2"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,bmi2,prefer-vector-width=512")
#endif
#define LEVEL avx512
#include "depths.h"
#undef LEVEL
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
static const level avx2_level = {"avx2", LOOPS(avx2, bytes), LOOPS(avx2, deep)};
static const level avx512_level = {"avx512", LOOPS(avx512, bytes), LOOPS(avx512, deep)};
#endif

/* The sets that this processor can run, the best first; returns their number. */
static int usable_levels(const level **found)
{
    int count = 0;
#if defined(HAS_X86_LEVELS)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        found[count++] = &avx512_level;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2"))
        found[count++] = &avx2_level;
#endif
    found[count++] = &base_level;
    return count;
}

#if !defined(GAZESHIFT_KERNEL_ALONE)

static const loops *loops_named(const char *name, int kind)
{
    const level *found[3];
    int count = usable_levels(found);
    for (int i = 0; i < count; i++)
        if (strcmp(found[i]->name, name) == 0)
            return kind == KIND_U8 ? &found[i]->bytes : &found[i]->deep;
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
#define SOURCE_FORMAT "(Knnnnid)"
#define SMALL_FORMAT "(KnnnKK)"
#define CHAIN_FORMAT "(idKnKKn)"

typedef unsigned long long number;

static source make_source(number pixels, source given)
{
    given.pixels = (const char *)address(pixels);
    return given;
}

static small_copy make_small(number planes, number taps, number phases, small_copy given)
{
    given.planes = address(planes);
    given.taps = address(taps);
    given.phases = address(phases);
    return given;
}

static chain make_chain(const number *addresses, chain given)
{
    given.table = address(addresses[0]);
    given.uppers = (const double *)address(addresses[1]);
    given.cells = (const int32_t *)address(addresses[2]);
    return given;
}

static PyObject *py_levels(PyObject *self, PyObject *unused)
{
    const level *found[3];
    int count = usable_levels(found);
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
    const char *name;
    const loops *run;
    source from = {0};
    small_copy small = {0};
    number pixels, planes, taps, phases;
    Py_ssize_t first, last;
    int status;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "s" SOURCE_FORMAT SMALL_FORMAT "nn", &name, &pixels,
                          &from.row_stride, &from.top, &from.height, &from.width, &from.kind,
                          &from.scale, &planes, &small.height, &small.width, &small.stride, &taps,
                          &phases, &first, &last) ||
        (run = loops_named(name, from.kind)) == NULL)
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
    const char *name;
    const loops *run;
    number data, weights;
    Py_ssize_t count, step, lines, radius;
    int kind, status;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "siKnnnKn", &name, &kind, &data, &count, &step, &lines,
                          &weights, &radius) ||
        (run = loops_named(name, kind)) == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    status = run->blur_columns(address(data), count, step, lines, address(weights), radius);
    Py_END_ALLOW_THREADS
    return answer(status);
}

static PyObject *py_blur_rows(PyObject *self, PyObject *arguments)
{
    const char *name;
    const loops *run;
    small_copy small = {0};
    number planes, taps, phases, weights;
    Py_ssize_t radius, first, last;
    int kind, status;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "si" SMALL_FORMAT "Knnn", &name, &kind, &planes,
                          &small.height, &small.width, &small.stride, &taps, &phases, &weights, &radius, &first,
                          &last) ||
        (run = loops_named(name, kind)) == NULL)
        return NULL;
    small = make_small(planes, taps, phases, small);
    Py_BEGIN_ALLOW_THREADS
    status = run->blur_rows(&small, address(weights), radius, first, last);
    Py_END_ALLOW_THREADS
    return answer(status);
}

static PyObject *py_blur_narrow(PyObject *self, PyObject *arguments)
{
    const char *name;
    const loops *run;
    source from = {0};
    number pixels, weights, planes;
    Py_ssize_t radius, first, last;
    int status;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "s" SOURCE_FORMAT "KnnnK", &name, &pixels, &from.row_stride,
                          &from.top, &from.height, &from.width, &from.kind, &from.scale, &weights,
                          &radius, &first, &last, &planes) ||
        (run = loops_named(name, from.kind)) == NULL)
        return NULL;
    from = make_source(pixels, from);
    Py_BEGIN_ALLOW_THREADS
    status = run->blur_narrow(&from, address(weights), radius, first, last, address(planes));
    Py_END_ALLOW_THREADS
    return answer(status);
}

static PyObject *py_expand(PyObject *self, PyObject *arguments)
{
    const char *name;
    const loops *run;
    small_copy small = {0};
    number planes, taps, phases, out;
    Py_ssize_t width, first, last;
    int kind, status;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "si" SMALL_FORMAT "nnnK", &name, &kind, &planes,
                          &small.height, &small.width, &small.stride, &taps, &phases, &width,
                          &first, &last, &out) ||
        (run = loops_named(name, kind)) == NULL)
        return NULL;
    small = make_small(planes, taps, phases, small);
    Py_BEGIN_ALLOW_THREADS
    status = run->expand(&small, width, first, last, address(out));
    Py_END_ALLOW_THREADS
    return answer(status);
}

static PyObject *py_draw(PyObject *self, PyObject *arguments)
{
    const char *name;
    const loops *run;
    source from = {0};
    drawing job = {0};
    number pixels, small, taps, phases, planes, mask, out;
    number front[3], back[3];
    Py_ssize_t first, last;
    int status;
    (void)self;
    if (!PyArg_ParseTuple(arguments,
                          "s" SOURCE_FORMAT CHAIN_FORMAT CHAIN_FORMAT SMALL_FORMAT
                          "i(Knn)(Kn)(Kn)nn",
                          &name, &pixels, &from.row_stride, &from.top, &from.height, &from.width,
                          &from.kind, &from.scale, &job.front.mode, &job.front.amount, &front[0],
                          &job.front.entries, &front[1], &front[2], &job.front.cell_count,
                          &job.back.mode, &job.back.amount, &back[0], &job.back.entries, &back[1],
                          &back[2], &job.back.cell_count, &small, &job.small.height, &job.small.width,
                          &job.small.stride, &taps, &phases, &job.blur, &planes,
                          &job.plane_stride, &job.planes_top, &mask, &job.mask_stride, &out,
                          &job.out_stride, &first, &last) ||
        (run = loops_named(name, from.kind)) == NULL)
        return NULL;
    from = make_source(pixels, from);
    job.small = make_small(small, taps, phases, job.small);
    job.front = make_chain(front, job.front);
    job.back = make_chain(back, job.back);
    job.planes = address(planes);
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
    {"expand", py_expand, METH_VARARGS, "Expand the small copy to full-size rows."},
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
