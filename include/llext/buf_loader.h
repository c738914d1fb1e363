/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A loader of files that lie in memory. */
#ifndef LLEXT_BUF_LOADER_H
#define LLEXT_BUF_LOADER_H

#include <llext/loader.h>

#ifdef __cplusplus
extern "C" {
#endif

struct llext_buf_loader {
	struct llext_loader loader;
	const uint8_t *buf;
	size_t len;
	size_t pos;
};

int llext_buf_read(struct llext_loader *ldr, void *out, size_t len);
int llext_buf_seek(struct llext_loader *ldr, size_t pos);
void *llext_buf_peek(struct llext_loader *ldr, size_t pos);
size_t llext_buf_get_size(struct llext_loader *ldr);

/* Initialisers for a struct llext_buf_loader over `size` bytes at `bytes`, by how long these stay: see llext/loader.h. */
#define LLEXT_TEMPORARY_BUF_LOADER(bytes, size) LLEXT_BUF_LOADER_(bytes, size, LLEXT_STORAGE_TEMPORARY)
#define LLEXT_PERSISTENT_BUF_LOADER(bytes, size) LLEXT_BUF_LOADER_(bytes, size, LLEXT_STORAGE_PERSISTENT)
#define LLEXT_WRITABLE_BUF_LOADER(bytes, size) LLEXT_BUF_LOADER_(bytes, size, LLEXT_STORAGE_WRITABLE)

/* Writable if CONFIG_LLEXT_STORAGE_WRITABLE is defined, else persistent. */
#ifdef CONFIG_LLEXT_STORAGE_WRITABLE
#define LLEXT_BUF_LOADER(bytes, size) LLEXT_WRITABLE_BUF_LOADER(bytes, size)
#else
#define LLEXT_BUF_LOADER(bytes, size) LLEXT_PERSISTENT_BUF_LOADER(bytes, size)
#endif

#define LLEXT_BUF_LOADER_(bytes, size, storage) \
	{ LLEXT_LOADER_(NULL, llext_buf_read, llext_buf_seek, llext_buf_peek, NULL, llext_buf_get_size, storage), \
	  (const uint8_t *)(bytes), (size), 0 }

#ifdef __cplusplus
}
#endif

#endif
