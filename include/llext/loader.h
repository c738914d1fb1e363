/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Where a file comes from: six operations and a storage type. llext/buf_loader.h, llext/fs_loader.h and llext/semihost_loader.h
 * have three kinds; a program may bring its own.
 */
#ifndef LLEXT_LOADER_H
#define LLEXT_LOADER_H

#include <llext/llext.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How long a file's bytes stay, and who may change them. */
enum llext_storage_type {
	/* No longer than the load: all that the extension needs is copied. */
	LLEXT_STORAGE_TEMPORARY,
	/* As long as the extension, unchanged: what needs no change is used where it lies. */
	LLEXT_STORAGE_PERSISTENT,
	/* As long as the extension, and the library's own: linked and used where it lies, good for one load. */
	LLEXT_STORAGE_WRITABLE,
	LLEXT_STORAGE_INT_ = 0x7fffffff,
};

struct llext_elf_sect_map;

/*
 * A loader. Operations return 0, or a negative error number, which llext_load then returns; those that are not there are NULL.
 *
 *   prepare   optional: called first
 *   read      reads `len` bytes at the current position, all of them or fails
 *   seek      goes to a position, bytes from the start
 *   peek      optional: where the byte at `pos` lies in memory, NULL if in none or past the end
 *   finalize  optional: called when a load ends that was prepared, however it ends
 *   get_size  optional: the file's size, bytes, after prepare
 *
 * peek gives no length: what is used in place is looked at by its first and last byte.
 */
struct llext_loader {
	int (*prepare)(struct llext_loader *ldr);
	int (*read)(struct llext_loader *ldr, void *out, size_t len);
	int (*seek)(struct llext_loader *ldr, size_t pos);
	void *(*peek)(struct llext_loader *ldr, size_t pos);
	void (*finalize)(struct llext_loader *ldr);
	size_t (*get_size)(struct llext_loader *ldr);
	enum llext_storage_type storage;
	/* Filled in by the library. */
	elf_ehdr_t hdr;
	elf_shdr_t sects[LLEXT_MEM_COUNT];
	struct llext_elf_sect_map *sect_map;
};

/* The beginning of every initialiser of a loader; C++ names no fields. */
#ifdef __cplusplus
#define LLEXT_LOADER_(prepare_, read_, seek_, peek_, finalize_, get_size_, storage_) \
	{ prepare_, read_, seek_, peek_, finalize_, get_size_, storage_, {}, {}, NULL }
#else
#define LLEXT_LOADER_(prepare_, read_, seek_, peek_, finalize_, get_size_, storage_) \
	{ .prepare = prepare_, .read = read_, .seek = seek_, .peek = peek_, .finalize = finalize_, \
	  .get_size = get_size_, .storage = storage_ }
#endif

static inline int llext_prepare(struct llext_loader *ldr)
{
	return ldr->prepare ? ldr->prepare(ldr) : 0;
}

static inline int llext_read(struct llext_loader *ldr, void *out, size_t len)
{
	return ldr->read(ldr, out, len);
}

static inline int llext_seek(struct llext_loader *ldr, size_t pos)
{
	return ldr->seek(ldr, pos);
}

static inline void *llext_peek(struct llext_loader *ldr, size_t pos)
{
	return ldr->peek ? ldr->peek(ldr, pos) : NULL;
}

/* 0 where the loader does not know it. */
static inline size_t llext_get_size(struct llext_loader *ldr)
{
	return ldr->get_size ? ldr->get_size(ldr) : 0;
}

static inline void llext_finalize(struct llext_loader *ldr)
{
	if (ldr->finalize) {
		ldr->finalize(ldr);
	}
}

#ifdef __cplusplus
}
#endif

#endif
