//! about: the mathematical library, with and without DT_NEEDED libm.so.6
//! libc
//! link[so-now]: -lm
//! shows[o r]: sin pow
//! call: sine(90) = 1000
//! call: sine(30) = 500
//! call: power(2, 10) = 1024
//! call: rounded(27) = 3
#include <math.h>

int sine(int degrees) { return (int)lround(1000 * sin(degrees * 3.14159265358979 / 180)); }
int power(int base, int exponent) { return (int)pow(base, exponent); }
int rounded(int value) { return (int)cbrt(value + 0.5); }
