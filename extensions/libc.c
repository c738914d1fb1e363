//! about: the process's C library: formatting into a buffer, sorting with a callback, memory, errno
//! libc
//! call: formatted(42) = 9
//! call: sorted() = 12579
//! call: allocated(100) = 4950
//! call: error_number() = 1
//! output: <42|  2a>
#include "host.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int formatted(int value)
{
	char buffer[32];
	int length = snprintf(buffer, sizeof buffer, "<%d|%4x>", value, value);
	host_print(buffer);
	return length == (int)strlen(buffer) ? length : -1;
}

static int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

int sorted(void)
{
	int values[] = {5, 1, 9, 7, 2}, number = 0;
	qsort(values, 5, sizeof *values, by_value);
	for (int i = 0; i < 5; i++)
		number = number * 10 + values[i];
	return number;
}

int allocated(int count)
{
	int sum = 0, *values = malloc(count * sizeof *values);
	for (int i = 0; i < count; i++)
		values[i] = i;
	for (int i = 0; i < count; i++)
		sum += values[i];
	free(values);
	return sum;
}

int error_number(void)
{
	errno = 0;
	return strtol("99999999999999999999", 0, 10) != 0 && errno == ERANGE;
}
