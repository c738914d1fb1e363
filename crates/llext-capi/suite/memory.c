/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Memory that code can run in: of the operating system's, or of the heap where all memory is such. */
#include "suite.h"

#ifdef __linux__
#include <sys/mman.h>

/* Where to look for memory first. For arm64 an emulator gives what lies beside the program, in reach of its branches. */
static void *hint(size_t bytes)
{
#ifdef __aarch64__
	const uintptr_t granule = 1 << 16, away = (uintptr_t)4 << 30, window = (uintptr_t)1 << 30;
	static uintptr_t next;
	uintptr_t at = next;

	next = (next + (bytes + granule - 1) / granule * granule) % window;
	return (void *)((uintptr_t)hint / granule * granule + away + at);
#else
	(void)bytes;
	return NULL;
#endif
}

void *take_memory(size_t bytes)
{
	const int all = PROT_READ | PROT_WRITE | PROT_EXEC;
	void *memory = mmap(hint(bytes), bytes, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void give_back(void *memory, size_t bytes)
{
	munmap(memory, bytes);
}
#else
void *take_memory(size_t bytes)
{
	return aligned_alloc(16, (bytes + 15) / 16 * 16);
}

void give_back(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}
#endif
