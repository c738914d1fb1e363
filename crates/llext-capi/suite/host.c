/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the suite offers extensions: the functions of extensions/host.h, and some that LLEXT's own tests expect. */
#include "suite.h"

int traced[8], traces;
char printed[80], logged[200];
int logged_number, logs;
void (*while_applied)(void);

void host_trace(int value);
void host_print(const char *text);
int host_apply(int (*function)(int), int value);
extern int host_number;
__attribute__((weak)) void ext_syscall_fail(void);

void host_trace(int value)
{
	if (traces < 8) {
		traced[traces++] = value;
	}
}

void host_print(const char *text)
{
	snprintf(printed, sizeof(printed), "%s", text);
}

int host_add(int a, int b)
{
	return a + b;
}

int host_apply(int (*function)(int), int value)
{
	if (while_applied) {
		while_applied();
	}
	return function(value);
}

int host_number = 77;

EXPORT_SYMBOL(host_trace);
EXPORT_SYMBOL(host_print);
EXPORT_GROUP_SYMBOL(SYSCALL, host_add);
EXPORT_SYMBOL(host_apply);
EXPORT_SYMBOL(host_number);
EXPORT_SYMBOL_NAMED(host_add, host_plus);
EXPORT_SYMBOL(ext_syscall_fail);
EXPORT_GROUP_SYMBOL(LIBC, memcpy);
EXPORT_GROUP_SYMBOL(LIBC, memset);
EXPORT_GROUP_SYMBOL(LIBC, strlen);
