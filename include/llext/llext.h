/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Loads native code at run time, by the API of Zephyr's LLEXT. docs/from-llext.md lists what differs.
 *
 *     struct llext_buf_loader loader = LLEXT_PERSISTENT_BUF_LOADER(file, sizeof(file));
 *     struct llext *ext;
 *
 *     llext_heap_init(heap, sizeof(heap));
 *     if (llext_load(&loader.loader, "app", &ext, NULL) >= 0) {
 *             llext_bringup(ext);
 *             llext_call_fn(ext, "start");
 *             llext_teardown(ext);
 *             llext_unload(&ext);
 *     }
 *
 * A host that includes this offers symbols with EXPORT_SYMBOL(name); outside functions. Bare-metal programs link with
 * `-Tllext.x`, which places them.
 *
 * Functions that fail return a negative error number. An extension that has been unloaded as often as it was loaded is gone:
 * its structure then is -EINVAL to every function here.
 */
#ifndef LLEXT_LLEXT_H
#define LLEXT_LLEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <llext/elf.h>
#include <llext/symbol.h>

/* ssize_t, where the C library has it. */
#ifndef LLEXT_NO_SYS_TYPES
#include <sys/types.h>
#else
typedef ptrdiff_t ssize_t;
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Regions: merged groups of similar sections. The last of this enum and others is there for its size: that of an int, also where
 * the ABI makes enums as small as they can be. */
enum llext_mem {
	LLEXT_MEM_TEXT,
	LLEXT_MEM_DATA,
	LLEXT_MEM_RODATA,
	LLEXT_MEM_VENEER,
	LLEXT_MEM_BSS,
	LLEXT_MEM_EXPORT,
	LLEXT_MEM_SYMTAB,
	LLEXT_MEM_STRTAB,
	LLEXT_MEM_SHSTRTAB,
	LLEXT_MEM_PREINIT,
	LLEXT_MEM_INIT,
	LLEXT_MEM_FINI,
	LLEXT_MEM_RODATA_NO_RELOC,
	LLEXT_MEM_COUNT,
	LLEXT_MEM_INT_ = 0x7fffffff,
};
#define LLEXT_MEM_PARTITIONS (LLEXT_MEM_BSS + 1)

/* The longest name of an extension, and how many dependencies a structure lists; more are counted as well. */
#define LLEXT_MAX_NAME_LEN 47
#define LLEXT_MAX_DEPENDENCIES 8

/* Constants that stay in the file, and so must have no addresses in them. */
#define LLEXT_RODATA_NO_RELOC __attribute__((section(".llext.rodata.noreloc")))

struct llext_loader;
struct k_mem_domain;

/*
 * A live extension, to be read only. Without keep_section_info, mem[] has TEXT, RODATA and DATA, which holds the BSS; with it,
 * all regions by their sections. sym_tab is always empty.
 */
struct llext {
	char name[LLEXT_MAX_NAME_LEN + 1];
	void *mem[LLEXT_MEM_COUNT];
	size_t mem_size[LLEXT_MEM_COUNT];
	bool mem_on_heap[LLEXT_MEM_COUNT];
	size_t alloc_size;
	struct llext_symtable sym_tab;
	struct llext_symtable exp_tab;
	unsigned int use_count;
	struct llext *dependency[LLEXT_MAX_DEPENDENCIES];
	unsigned int sect_cnt;
	elf_shdr_t *sect_hdrs;
	bool sect_hdrs_on_heap;
	bool mmu_permissions_set;
};

static inline const elf_shdr_t *llext_section_headers(const struct llext *ext)
{
	return ext->sect_hdrs;
}

static inline unsigned int llext_section_count(const struct llext *ext)
{
	return ext->sect_cnt;
}

/* How a file is compressed. LZ4 is a frame with the size of its contents, as `lz4 --content-size` writes it. */
enum llext_compression_type {
	LLEXT_COMPRESSION_TYPE_NONE,
	LLEXT_COMPRESSION_TYPE_LZ4,
	LLEXT_COMPRESSION_TYPE_INT_ = 0x7fffffff,
};

/*
 * How to load.
 *
 *   relocate_local     must be true: -ENOTSUP
 *   pre_located        the file was linked by `cargo llext link` for where it lies now
 *   section_detached   says which sections stay in the file; storage must be persistent or writable, else -ENOTSUP
 *   keep_section_info  keeps what llext/inspect.h tells
 *   compression_type   a compressed file's contents lie in the heap, as long as the extension where they are linked and used
 *                      there, else as long as the load; -EINVAL for a type that the library is built without
 */
struct llext_load_param {
	bool relocate_local;
	bool pre_located;
	bool (*section_detached)(const elf_shdr_t *shdr);
	bool keep_section_info;
	enum llext_compression_type compression_type;
};
#define LLEXT_LOAD_PARAM_DEFAULT { true, false, NULL, false, LLEXT_COMPRESSION_TYPE_NONE }

/*
 * Loads and links an extension, or finds that one of this name is live, which then is used once more. *ext is its structure,
 * NULL after an error. How often it was used before.
 */
int llext_load(struct llext_loader *loader, const char *name, struct llext **ext,
	       const struct llext_load_param *ldr_parm);

/*
 * Gives one use up; how many remain, extensions that depend on it counted. With the last *ext becomes NULL, destructors that are
 * due run, and the memory is free.
 */
int llext_unload(struct llext **ext);

/* The live extension of this name, or NULL. It is not used once more by that. */
struct llext *llext_by_name(const char *name);

/* Calls `fn` with every live extension, in load order, until it does not return 0; what it returned last, or 0.
 * Extensions that are loaded meanwhile are left out. */
int llext_iterate(int (*fn)(struct llext *ext, void *arg), void *arg);

/* The address of a symbol in an extension's exp_tab, or, with NULL, in what the host exports; NULL if there is none. */
const void *llext_find_sym(const struct llext_symtable *sym_table, const char *sym_name);

/* Calls an exported function without arguments or result; -ENOENT. */
int llext_call_fn(struct llext *ext, const char *sym_name);

/* Runs the constructors: to be called once, before the extension is used. */
int llext_bringup(struct llext *ext);

/* Runs the destructors: afterwards the extension is good for nothing but to be unloaded. */
int llext_teardown(struct llext *ext);

/* Brings the extension up, calls entry_fn(user_data), and tears it down: for a thread to begin with. */
typedef void (*llext_entry_fn_t)(void *user_data);
void llext_bootstrap(struct llext *ext, llext_entry_fn_t entry_fn, void *user_data);

/* The constructor or destructor at `idx`, in the order they run; if `ptr` is NULL, how many there are. */
ssize_t llext_get_fn_table_entry(struct llext *ext, bool is_init, void **ptr, size_t idx);

/* There are no memory domains: -ENOSYS. */
int llext_add_domain(struct llext *ext, struct k_mem_domain *domain);

/* Where a section begins in a file, bytes; -ENOTSUP if the loader has no peek, -ENOEXEC, -ENOENT. */
ssize_t llext_find_section(struct llext_loader *loader, const char *search_name);

/* Copies a section's header, of the extension if its sections were kept, else of the file, as llext_find_section. */
int llext_get_section_header(struct llext_loader *loader, struct llext *ext, const char *search_name, elf_shdr_t *shdr);

/* Gives back what keep_section_info kept. */
int llext_free_inspection_data(struct llext_loader *ldr, struct llext *ext);

/*
 * The memory for extensions, executable; or instructions apart from data. -EBUSY if there is some, and as long as it is in use.
 * -ENOSYS where the library uses the process's own.
 */
int llext_heap_init(void *mem, size_t bytes);
int llext_heap_init_harvard(void *instr_mem, size_t instr_bytes, void *data_mem, size_t data_bytes);
int llext_heap_uninit(void);

/*
 * Extensions that outlive the program's own data, linked as they are, where the heap's memory does: power-down with retained
 * RAM, or a new start. llext_save and llext_restore_saved are not LLEXT's. Nobody is in another of these functions meanwhile.
 *
 *     size = llext_save(retained, sizeof(retained));         then power off, or start anew
 *     llext_heap_init(heap, sizeof(heap));                   of the same memory, before anything is loaded
 *     if (llext_restore_saved(retained, size) < 0) { ... }   then load as ever
 *     ext = llext_by_name("app");
 */

/* Writes down all that is linked: how many bytes it takes, and if those are more than `size`, nothing is saved. */
ssize_t llext_save(void *saved, size_t size);

/*
 * How many extensions are live again, each used once; none of their constructors runs. -EFAULT if program, exports or memory are
 * not as they were, -EBUSY after a load.
 */
int llext_restore_saved(const void *saved, size_t size);

/* Makes the dependencies in an array of copies of live structures pointers into this array; -ENOENT. */
int llext_relink_dependency(struct llext *ext, unsigned int n_ext);

/*
 * After llext_restore_saved: makes of pointers to copies, of which some may be NULL, pointers to the live structures of these
 * names; -ENOENT. The loaders are left alone.
 */
int llext_restore(struct llext **ext, struct llext_loader **ldr, unsigned int n_ext);

#ifdef __cplusplus
}
#endif

#endif
