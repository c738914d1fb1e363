/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the suite asks of an operating system, where there is none: all memory can be run in, and comes from the heap. */
#ifndef SUITE_MMAN_H
#define SUITE_MMAN_H

#include <stdlib.h>

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 32
#define MAP_FAILED ((void *)-1)

static inline void *mmap(void *address, size_t size, int protection, int flags, int file, long offset)
{
	void *memory = aligned_alloc(16, (size + 15) / 16 * 16);

	(void)address, (void)protection, (void)flags, (void)file, (void)offset;
	return memory ? memory : MAP_FAILED;
}

static inline int munmap(void *memory, size_t size)
{
	(void)size;
	free(memory);
	return 0;
}

#endif
