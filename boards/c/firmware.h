/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the firmware's files share. */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include <zephyr/llext/fs_loader.h>

/* The files of the machine that QEMU runs on, through the C library. */
extern const struct llext_file_hooks HOST_FILES;

/* Those of littlefs; it is made first, with one file in it. */
extern const struct llext_file_hooks LITTLEFS_FILES;
int make_littlefs(const char *path, const void *bytes, size_t size);

#endif
