/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Symbols and tables of them, and the macros that export: with LL_EXTENSION_BUILD defined from an extension, else from the
 * host. See llext/extension.h, which does the work.
 */
#ifndef LLEXT_SYMBOL_H
#define LLEXT_SYMBOL_H

#if !defined(LL_EXTENSION_BUILD) && !defined(LLEXT_HOST_BUILD)
#ifdef LLEXT_EXTENSION_H
#error "llext/extension.h is for extensions: a host includes llext/symbol.h or llext/llext.h instead, or defines LLEXT_HOST_BUILD"
#endif
#define LLEXT_HOST_BUILD 1
#endif

/* The groups that a host offers unless it says otherwise. */
#ifndef CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_UNASSIGNED
#define CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_UNASSIGNED 1
#endif
#ifndef CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_SYSCALL
#define CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_SYSCALL 1
#endif
#ifndef CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_LIBC
#define CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_LIBC 1
#endif
#ifndef CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_DEVICE
#define CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_DEVICE 1
#endif

#include <stddef.h>
#include <llext/extension.h>

/* A symbol of an extension. */
struct llext_symbol {
	const char *name;
	void *addr;
};

/* Symbols in ascending order of their names. */
struct llext_symtable {
	size_t sym_cnt;
	struct llext_symbol *syms;
};

/* Exports the implementation of a system call. */
#define EXPORT_SYSCALL(name) EXPORT_SYMBOL(z_impl_##name)

#endif
