/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Files in littlefs, on a disk in RAM. Where there is flash, its driver does what the first four functions do. */
#include "firmware.h"

#include <errno.h>
#include <lfs.h>
#include <string.h>

#define BLOCK 512
#define BLOCKS 64

static uint8_t disk[BLOCKS][BLOCK];

static int read_block(const struct lfs_config *own, lfs_block_t block, lfs_off_t at, void *to, lfs_size_t size)
{
	(void)own;
	memcpy(to, &disk[block][at], size);
	return 0;
}

static int write_block(const struct lfs_config *own, lfs_block_t block, lfs_off_t at, const void *from, lfs_size_t size)
{
	(void)own;
	memcpy(&disk[block][at], from, size);
	return 0;
}

static int erase_block(const struct lfs_config *own, lfs_block_t block)
{
	(void)own;
	memset(disk[block], 0xff, BLOCK);
	return 0;
}

static int sync_disk(const struct lfs_config *own)
{
	(void)own;
	return 0;
}

static const struct lfs_config CONFIG = {
	.read = read_block,
	.prog = write_block,
	.erase = erase_block,
	.sync = sync_disk,
	.read_size = 16,
	.prog_size = 16,
	.block_size = BLOCK,
	.block_count = BLOCKS,
	.block_cycles = -1,
	.cache_size = 64,
	.lookahead_size = 8,
};

static lfs_t littlefs;
/* One file at a time is open: a load reads one. */
static lfs_file_t opened;

int make_littlefs(const char *path, const void *bytes, size_t size)
{
	lfs_file_t file;
	int done = lfs_format(&littlefs, &CONFIG);

	done = done < 0 ? done : lfs_mount(&littlefs, &CONFIG);
	done = done < 0 ? done : lfs_file_open(&littlefs, &file, path, LFS_O_WRONLY | LFS_O_CREAT);
	if (done < 0) {
		return done;
	}
	done = (int)lfs_file_write(&littlefs, &file, bytes, size);
	return lfs_file_close(&littlefs, &file) < 0 || done != (int)size ? -EIO : 0;
}

/* littlefs has Linux's error numbers, of which these are everybody's. */
static int open_file(const char *path, void **file)
{
	*file = &opened;
	return lfs_file_open(&littlefs, &opened, path, LFS_O_RDONLY);
}

static ssize_t read_file(void *file, void *out, size_t len)
{
	return lfs_file_read(&littlefs, (lfs_file_t *)file, out, len);
}

static int seek_file(void *file, size_t position)
{
	lfs_soff_t at = lfs_file_seek(&littlefs, (lfs_file_t *)file, (lfs_soff_t)position, LFS_SEEK_SET);

	return at < 0 ? (int)at : 0;
}

static void close_file(void *file)
{
	lfs_file_close(&littlefs, (lfs_file_t *)file);
}

const struct llext_file_hooks LITTLEFS_FILES = { open_file, read_file, seek_file, close_file };
