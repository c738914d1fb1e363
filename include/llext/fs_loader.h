/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A loader of files in a file system, which is reached through hooks. On Linux, where the library has the standard library,
 * files of the system need none.
 */
#ifndef LLEXT_FS_LOADER_H
#define LLEXT_FS_LOADER_H

#include <llext/loader.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How files are reached. They return a negative error number where they fail.
 *
 *   open   opens the file at `path` for reading, leaves in *file what the others are given; 0
 *   read   reads at most `len` bytes at the current position: how many, 0 at the end
 *   seek   goes to `position`, bytes from the start; 0
 *   close  closes the file
 */
struct llext_file_hooks {
	int (*open)(const char *path, void **file);
	ssize_t (*read)(void *file, void *out, size_t len);
	int (*seek)(void *file, size_t position);
	void (*close)(void *file);
};

/* Gives the hooks, which stay where they are; NULL for those there were. Without any a load is -ENOTSUP. */
void llext_set_file_hooks(const struct llext_file_hooks *hooks);

struct llext_fs_loader {
	struct llext_loader loader;
	bool is_open;
	const char *name;
	void *file;
};

int llext_fs_prepare(struct llext_loader *ldr);
int llext_fs_read(struct llext_loader *ldr, void *out, size_t len);
int llext_fs_seek(struct llext_loader *ldr, size_t pos);
void llext_fs_finalize(struct llext_loader *ldr);

/* An initialiser for a struct llext_fs_loader of the file at `path`. */
#define LLEXT_FS_LOADER(path) \
	{ LLEXT_LOADER_(llext_fs_prepare, llext_fs_read, llext_fs_seek, NULL, llext_fs_finalize, NULL, \
			LLEXT_STORAGE_TEMPORARY), false, (path), NULL }

#ifdef __cplusplus
}
#endif

#endif
