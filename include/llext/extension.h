/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What an extension for llext written in C or C++ includes.
 *
 *     #include <llext/extension.h>
 *
 *     int add(int a, int b) { return a + b; }
 *     LL_EXTENSION_SYMBOL(add);
 *
 * The macros have the names and the meaning of those of Zephyr's LLEXT. An export is an entry {name, address} in section
 * `.exported_sym`; an extension without any exports all its global symbols.
 *
 * C code of a host includes this header too, with LLEXT_HOST_BUILD defined: EXPORT_SYMBOL then offers a symbol to extensions,
 * through section `llext_exports`, where `llext::export::section()` finds it. With CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID
 * defined as well, the names take no room in the host: `cargo llext prepare --slid` replaces them by numbers, in section
 * `llext_slids`, where `llext::export::slid_section()` finds them. Such a host is linked with `-Tllext.x`.
 *
 * Needs GCC or Clang; C99 or later, C++11 or later.
 */
#ifndef LLEXT_EXTENSION_H
#define LLEXT_EXTENSION_H

#include <stdint.h>

/* One export. */
struct llext_exported_symbol {
	const char *name;
	const void *addr;
};

/*
 * Exports `symbol`, a function or an object, from an extension; _NAMED under another name, written as an identifier.
 * They stand at file scope and end in a semicolon.
 */
#define LL_EXTENSION_SYMBOL(symbol) LLEXT_ENTRY_(".exported_sym", symbol, #symbol, llext_export_##symbol)
#define LL_EXTENSION_SYMBOL_NAMED(symbol, name) LLEXT_ENTRY_(".exported_sym", symbol, #name, llext_export_##name)

/* The same in an extension; in a host, offers `symbol` to extensions. */
#define EXPORT_SYMBOL(symbol) LLEXT_OFFERED_(symbol, #symbol, llext_export_##symbol)
#define EXPORT_SYMBOL_NAMED(symbol, name) LLEXT_OFFERED_(symbol, #name, llext_export_##name)

/*
 * The same in an extension; in a host, offers `symbol` only if CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_<group> is defined as 1.
 * A host chooses its groups; LLEXT's are UNASSIGNED, SYSCALL, LIBC and DEVICE. What it leaves out is named in section
 * `llext_discarded`, which takes no memory: `cargo llext discarded` shows it.
 */
#define EXPORT_GROUP_SYMBOL(group, symbol) \
	LLEXT_IN_GROUP_(CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_##group)(symbol, #symbol, llext_export_##symbol, #group)
#define EXPORT_GROUP_SYMBOL_NAMED(group, symbol, name) \
	LLEXT_IN_GROUP_(CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_##group)(symbol, #name, llext_export_##name, #group)

/*
 * The version of what host and extension agree on, as an ELF note of owner `llext`, type 1. A host refuses an extension with a
 * newer one. Every file of an extension that includes this header carries the note, unless LLEXT_NO_ABI_NOTE is defined; then
 * one of them should say LLEXT_ABI_NOTE; at file scope.
 */
#define LLEXT_ABI_VERSION 1
#define LLEXT_ABI_NOTE \
	static const struct llext_abi_note llext_abi_note_ \
		__attribute__((section(".note.llext"), used, aligned(4))) = { 6, 4, 1, "llext", LLEXT_ABI_VERSION }

/*
 * Says that the extension of this name, or the file of this name, must be there before this one is loaded: a note of type 2. A
 * host that was told where to look loads it first; what it exports can then be used here. It stands at file scope, as often as
 * there are names, also in a header that declares the other's functions:
 *
 *     LLEXT_NEEDS("math");
 */
#define LLEXT_NEEDS(name) LLEXT_UNIQUE_(LLEXT_NEEDED_, name)

struct llext_abi_note {
	uint32_t owner_size;
	uint32_t description_size;
	uint32_t type;
	char owner[8];
	uint32_t version;
};

/* What follows is not for use outside this header. */

#if !defined(LLEXT_HOST_BUILD)
#define LLEXT_OFFERED_(symbol, text, entry) LLEXT_ENTRY_(".exported_sym", symbol, text, entry)
#elif !defined(CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID)
#define LLEXT_OFFERED_(symbol, text, entry) LLEXT_ENTRY_("llext_exports", symbol, text, entry)
#else
#define LLEXT_OFFERED_(symbol, text, entry) \
	static const char entry##_name_[] __attribute__((section("llext_exports_strtab"), LLEXT_KEPT_)) = text; \
	LLEXT_ENTRY_("llext_slids", symbol, entry##_name_, entry)
#endif

#define LLEXT_NEEDED_(name, note) \
	static const struct { \
		uint32_t owner_size, description_size, type; \
		char owner[8], description[sizeof(name)]; \
	} note __attribute__((section(".note.llext"), used, aligned(4))) = { 6, sizeof(name), 2, "llext", name }

/* Hands a macro an identifier that this translation unit does not have yet; Clang calls that an extension of C. */
#ifdef __clang__
#define LLEXT_UNIQUE_(macro, name) \
	_Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wunknown-warning-option\"") \
	_Pragma("clang diagnostic ignored \"-Wc2y-extensions\"") \
	LLEXT_NUMBERED_(macro, name, __COUNTER__) _Pragma("clang diagnostic pop")
#else
#define LLEXT_UNIQUE_(macro, name) LLEXT_NUMBERED_(macro, name, __COUNTER__)
#endif
#define LLEXT_NUMBERED_(macro, name, number) LLEXT_PASTED_(macro, name, number)
#define LLEXT_PASTED_(macro, name, number) macro(name, llext_needed_##number)

/* `retain` keeps an entry where unused sections are dropped. GCC knows it for every target, and warns where it has no effect. */
#if defined(__has_attribute) && (defined(__clang__) || defined(__linux__))
#if __has_attribute(retain)
#define LLEXT_KEPT_ used, retain
#endif
#endif
#ifndef LLEXT_KEPT_
#define LLEXT_KEPT_ used
#endif

#define LLEXT_ENTRY_(table, symbol, text, entry) \
	LLEXT_WITH_(entry, symbol, text, section(table), LLEXT_KEPT_, aligned(sizeof(void *)))
#define LLEXT_WITH_(entry, symbol, text, ...) \
	static const struct llext_exported_symbol entry __attribute__((__VA_ARGS__)) = { text, LLEXT_ADDRESS_(symbol) }

/* Clang takes a function's address as an object's for a constant in C++ only behind __builtin_constant_p, and else finds that the
 * entries of a file do not belong in one section. */
#define LLEXT_ADDRESS_(symbol) \
	__extension__ (__builtin_constant_p(1) ? (const void *)&(symbol) : (const void *)&(symbol))

/* The macro for an export of a group: the second of a list that begins with a comma if the group's option is 1. */
#ifdef LLEXT_HOST_BUILD
#define LLEXT_IN_GROUP_(option) LLEXT_CHOOSE_(option)
#else
#define LLEXT_IN_GROUP_(option) LLEXT_TAKEN_
#endif
#define LLEXT_CHOOSE_(option) LLEXT_PREFIX_(LLEXT_OPTION_##option)
#define LLEXT_PREFIX_(prefix) LLEXT_SECOND_(prefix LLEXT_TAKEN_, LLEXT_LEFT_OUT_, unused)
#define LLEXT_SECOND_(first, second, ...) second
#define LLEXT_OPTION_1 unused,
#define LLEXT_TAKEN_(symbol, text, entry, group) LLEXT_OFFERED_(symbol, text, entry)
/* The assembler makes a section that is not loaded; a compiler would make one that is. */
#define LLEXT_LEFT_OUT_(symbol, text, entry, group) \
	__asm__(".pushsection llext_discarded,\"\",%progbits\n\t.asciz \"" group "\", \"" text "\"\n\t.popsection"); \
	LLEXT_WITH_(entry, symbol, text, unused)

#if !defined(LLEXT_HOST_BUILD) && !defined(LLEXT_NO_ABI_NOTE)
LLEXT_ABI_NOTE;
#endif

#endif
