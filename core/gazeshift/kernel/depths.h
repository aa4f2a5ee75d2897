/* The render kernel's loops for one instruction set, named by LEVEL: once in single precision for
 * pictures of 8 bits, once (DEEP) in double precision for 16 bits and float, where steep curves
 * would show the rounding. K(name) gives each copy its own names. Plain C: the compiler turns the
 * loops into vectors.
 *
 * Pictures are interleaved RGB; inside, every channel is a plane of REAL numbers. The blur's small
 * copy holds SMALL numbers: floats, or integers in units of 2^-30, four bytes each. */

#define DEEP 0
#define DEPTH bytes
#define REAL float
#define SMALL float
#define ROOT sqrtf
#define WIDEN(stored) (stored)
#define NARROW(value) (value)
#include "pixels.h"
#include "wide_blur.h"
#include "draw.h"
#undef DEEP
#undef DEPTH
#undef REAL
#undef SMALL
#undef ROOT
#undef WIDEN
#undef NARROW

#define DEEP 1
#define DEPTH deep
#define REAL double
#define SMALL int32_t
#define ROOT sqrt
#define WIDEN(stored) ((double)(stored) * (1.0 / FIXED_ONE))
#define NARROW(value) round_deep((value) * FIXED_ONE)
#include "pixels.h"
#include "wide_blur.h"
#include "draw.h"
#undef DEEP
#undef DEPTH
#undef REAL
#undef SMALL
#undef ROOT
#undef WIDEN
#undef NARROW
