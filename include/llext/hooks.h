/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a host gives the library besides memory. All of it is optional, and comes before any other call. */
#ifndef LLEXT_HOOKS_H
#define LLEXT_HOOKS_H

#include <stdbool.h>
#include <llext/symbol.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The lock: `lock` shuts everybody else out, and `unlock`, which is handed what its `lock` returned, lets them in. They nest, as
 * irq_lock() does and a recursive mutex, and are held for short times, never over code of the host's or of an extension.
 * Without them all calls come from one thread.
 */
void llext_set_lock_hooks(unsigned int (*lock)(void), void (*unlock)(unsigned int key));

/*
 * The log: where a function fails it hears the error number that is returned, and a line that says why, or by which number
 * `cargo llext explain` says why; and of every symbol that nobody provides, -ENODATA and its name.
 */
void llext_set_log_hook(void (*log)(int error, const char *line));

/*
 * Whether extensions export all their global symbols, also where they list some with EXPORT_SYMBOL, as with LLEXT's
 * CONFIG_LLEXT_IMPORT_ALL_GLOBALS. It counts for the loads that follow.
 */
void llext_set_import_all_globals(bool yes);

/*
 * Lends the program's thread-local variables to extensions that are compiled with -ftls-model=local-exec. The table stays, and
 * names each with how far it lies from the thread pointer, which is the same in every thread. NULL for none.
 *
 *     static struct llext_symbol symbols[] = { { "errno_of_thread", NULL } };
 *     static const struct llext_symtable variables = { 1, symbols };
 *
 *     symbols[0].addr = LLEXT_THREAD_OFFSET(errno_of_thread);
 *     llext_set_thread_locals(&variables);
 */
void llext_set_thread_locals(const struct llext_symtable *variables);
#define LLEXT_THREAD_OFFSET(variable) ((void *)((char *)&(variable) - (char *)__builtin_thread_pointer()))

#ifdef __cplusplus
}
#endif

#endif
