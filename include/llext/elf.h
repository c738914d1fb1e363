/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * ELF's structures and numbers under the names of Zephyr's LLEXT, for both classes, and those of this processor's class.
 *
 * https://gabi.xinuos.com/, chapters 4 and 5.
 */
#ifndef LLEXT_ELF_H
#define LLEXT_ELF_H

#include <stdint.h>

typedef uint32_t elf32_addr;
typedef uint16_t elf32_half;
typedef uint32_t elf32_off;
typedef int32_t elf32_sword;
typedef uint32_t elf32_word;

typedef uint64_t elf64_addr;
typedef uint16_t elf64_half;
typedef uint64_t elf64_off;
typedef int32_t elf64_sword;
typedef uint32_t elf64_word;
typedef int64_t elf64_sxword;
typedef uint64_t elf64_xword;

#define EI_NIDENT 16

/* Both classes have these fields in this order; they differ in the width of addresses, offsets and sizes. */
#define LLEXT_ELF_EHDR_(tag, addr) \
	struct tag { \
		unsigned char e_ident[EI_NIDENT]; \
		uint16_t e_type, e_machine; \
		uint32_t e_version; \
		addr e_entry, e_phoff, e_shoff; \
		uint32_t e_flags; \
		uint16_t e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx; \
	}
#define LLEXT_ELF_SHDR_(tag, word) \
	struct tag { \
		uint32_t sh_name, sh_type; \
		word sh_flags, sh_addr, sh_offset, sh_size; \
		uint32_t sh_link, sh_info; \
		word sh_addralign, sh_entsize; \
	}
LLEXT_ELF_EHDR_(elf32_ehdr, uint32_t);
LLEXT_ELF_EHDR_(elf64_ehdr, uint64_t);
LLEXT_ELF_SHDR_(elf32_shdr, uint32_t);
LLEXT_ELF_SHDR_(elf64_shdr, uint64_t);

struct elf32_phdr {
	uint32_t p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_flags, p_align;
};
struct elf64_phdr {
	uint32_t p_type, p_flags;
	uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
};

struct elf32_sym {
	uint32_t st_name, st_value, st_size;
	unsigned char st_info, st_other;
	uint16_t st_shndx;
};
struct elf64_sym {
	uint32_t st_name;
	unsigned char st_info, st_other;
	uint16_t st_shndx;
	uint64_t st_value, st_size;
};

struct elf32_rel {
	uint32_t r_offset, r_info;
};
struct elf32_rela {
	uint32_t r_offset, r_info;
	int32_t r_addend;
};
struct elf64_rel {
	uint64_t r_offset, r_info;
};
struct elf64_rela {
	uint64_t r_offset, r_info;
	int64_t r_addend;
};

struct elf32_dyn {
	int32_t d_tag;
	union {
		uint32_t d_val, d_ptr;
	} d_un;
};
struct elf64_dyn {
	int64_t d_tag;
	union {
		uint64_t d_val, d_ptr;
	} d_un;
};

/* The system's <elf.h> may define the same numbers in other words. */
#ifndef _ELF_H
#define ET_REL 1
#define ET_EXEC 2
#define ET_DYN 3
#define ET_CORE 4

#define SHT_PROGBITS 1
#define SHT_SYMTAB 2
#define SHT_STRTAB 3
#define SHT_RELA 4
#define SHT_NOBITS 8
#define SHT_REL 9
#define SHT_DYNSYM 11
#define SHT_INIT_ARRAY 14
#define SHT_FINI_ARRAY 15
#define SHT_PREINIT_ARRAY 16

#define SHF_WRITE 1
#define SHF_ALLOC 2
#define SHF_EXECINSTR 4

#define SHN_UNDEF 0
#define SHN_ABS 0xfff1
#define SHN_COMMON 0xfff2

#define STT_NOTYPE 0
#define STT_OBJECT 1
#define STT_FUNC 2
#define STT_SECTION 3
#define STT_FILE 4
#define STT_COMMON 5

#define STB_LOCAL 0
#define STB_GLOBAL 1
#define STB_WEAK 2

#define PT_LOAD 1

#define ELF32_ST_BIND(info) ((info) >> 4)
#define ELF32_ST_TYPE(info) ((info) & 0xf)
#define ELF64_ST_BIND(info) ((info) >> 4)
#define ELF64_ST_TYPE(info) ((info) & 0xf)
#define ELF32_R_SYM(info) ((info) >> 8)
#define ELF32_R_TYPE(info) ((info) & 0xff)
#define ELF64_R_SYM(info) ((info) >> 32)
#define ELF64_R_TYPE(info) ((info) & 0xffffffff)
#endif

#if UINTPTR_MAX > 0xffffffffu
typedef struct elf64_ehdr elf_ehdr_t;
typedef struct elf64_shdr elf_shdr_t;
typedef struct elf64_phdr elf_phdr_t;
typedef struct elf64_rel elf_rel_t;
typedef struct elf64_rela elf_rela_t;
typedef struct elf64_sym elf_sym_t;
typedef struct elf64_dyn elf_dyn_t;
typedef elf64_addr elf_addr;
typedef elf64_half elf_half;
typedef elf64_xword elf_word;
#define ELF_R_SYM ELF64_R_SYM
#define ELF_R_TYPE ELF64_R_TYPE
#define ELF_ST_BIND ELF64_ST_BIND
#define ELF_ST_TYPE ELF64_ST_TYPE
#else
typedef struct elf32_ehdr elf_ehdr_t;
typedef struct elf32_shdr elf_shdr_t;
typedef struct elf32_phdr elf_phdr_t;
typedef struct elf32_rel elf_rel_t;
typedef struct elf32_rela elf_rela_t;
typedef struct elf32_sym elf_sym_t;
typedef struct elf32_dyn elf_dyn_t;
typedef elf32_addr elf_addr;
typedef elf32_half elf_half;
typedef elf32_word elf_word;
#define ELF_R_SYM ELF32_R_SYM
#define ELF_R_TYPE ELF32_R_TYPE
#define ELF_ST_BIND ELF32_ST_BIND
#define ELF_ST_TYPE ELF32_ST_TYPE
#endif

#endif
