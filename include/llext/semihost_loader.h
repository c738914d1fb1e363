/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A loader of files on the computer that a debugger or an emulator runs on, by semihosting: on bare metal, arm, arm64 and RISC-V.
 * Where nobody answers such calls the processor stops at the first, as at a breakpoint, or faults.
 */
#ifndef LLEXT_SEMIHOST_LOADER_H
#define LLEXT_SEMIHOST_LOADER_H

#include <llext/loader.h>

#ifdef __cplusplus
extern "C" {
#endif

struct llext_semihost_loader {
	struct llext_loader loader;
	const char *filename;
	int fd;
	size_t total_bytes;
	size_t size;
};

/* -ENOENT if the file cannot be opened, -ENOTSUP where there is no semihosting. */
int llext_semihost_prepare(struct llext_loader *ldr);
/* -EIO if the computer says so, -EINVAL at the file's end. */
int llext_semihost_read(struct llext_loader *ldr, void *out, size_t len);
int llext_semihost_seek(struct llext_loader *ldr, size_t pos);
void llext_semihost_finalize(struct llext_loader *ldr);
size_t llext_semihost_get_size(struct llext_loader *ldr);

/* An initialiser for a struct llext_semihost_loader of the computer's file at `path`. */
#define LLEXT_SEMIHOST_LOADER(path) \
	{ LLEXT_LOADER_(llext_semihost_prepare, llext_semihost_read, llext_semihost_seek, NULL, llext_semihost_finalize, \
			llext_semihost_get_size, LLEXT_STORAGE_TEMPORARY), (path), -1, 0, 0 }

#ifdef __cplusplus
}
#endif

#endif
