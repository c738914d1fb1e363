/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Files through the C library, which here asks the emulator for them. */
#include "firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int open_file(const char *path, void **file)
{
	int number = open(path, O_RDONLY);

	*file = (void *)(intptr_t)number;
	return number < 0 ? -errno : 0;
}

static ssize_t read_file(void *file, void *out, size_t len)
{
	ssize_t read_bytes = read((int)(intptr_t)file, out, len);

	return read_bytes < 0 ? -errno : read_bytes;
}

static int seek_file(void *file, size_t position)
{
	return lseek((int)(intptr_t)file, (off_t)position, SEEK_SET) < 0 ? -errno : 0;
}

static void close_file(void *file)
{
	close((int)(intptr_t)file);
}

const struct llext_file_hooks HOST_FILES = { open_file, read_file, seek_file, close_file };
