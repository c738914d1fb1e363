/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Memory that code can run in: of the operating system's, or of the heap where all memory is such. */
#include "suite.h"

#ifdef __linux__
#include <sys/mman.h>

void *take_memory(size_t bytes)
{
	const int all = PROT_READ | PROT_WRITE | PROT_EXEC;
	void *memory = mmap(NULL, bytes, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

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
