/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Extensions that outlive the program's own data: a child links them in shared memory and ends, its parent has never seen them. */
#include "suite.h"

static void copies_of_nothing(void)
{
	struct llext copy = { 0 }, other = { 0 };

	EQUAL(llext_relink_dependency(NULL, 0), -EINVAL);
	EQUAL(llext_relink_dependency(&copy, 1), 0);
	copy.dependency[3] = &other;
	EQUAL(llext_relink_dependency(&copy, 1), -ENOENT);
}

#ifdef WITH_STD
static void there_is_no_heap_to_save(void)
{
	uint8_t saved[64] = { 0 };

	EQUAL(llext_save(saved, sizeof(saved)), -ENOSYS);
	EQUAL(llext_restore_saved(saved, sizeof(saved)), -ENOSYS);
}

TESTS(SAVING_TESTS, TEST(there_is_no_heap_to_save), TEST(copies_of_nothing));
#elif !defined(__linux__)
TESTS(SAVING_TESTS, LEFT_OUT(extensions_outlive_the_program, "there is one program, which cannot end and go on"),
      TEST(copies_of_nothing));
#else
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What stays when all else is lost. */
static struct kept {
	uint8_t heap[1 << 18];
	uint8_t saved[1 << 14];
	ssize_t size;
	struct llext copies[2];
} *kept;

static ssize_t save(void)
{
	struct llext *math, *app, *object;
	const void *symbol;
	int *number;

	if (llext_heap_init(kept->heap, sizeof(kept->heap)) != 0 || load("math.o", "math", &math) < 0 ||
	    load("app.o", "app", &app) < 0 || load("object-export.o", "object", &object) < 0 ||
	    llext_bringup(app) != 0) {
		return -1;
	}
	symbol = llext_find_sym(&object->exp_tab, "number");
	memcpy(&number, &symbol, sizeof(number));
	*number = 7;
	kept->copies[0] = *app;
	if (llext_relink_dependency(kept->copies, 1) != -ENOENT || kept->copies[0].dependency[0] != math) {
		return -2;
	}
	kept->copies[1] = *math;
	if (llext_relink_dependency(kept->copies, 2) != 0 || kept->copies[0].dependency[0] != &kept->copies[1] ||
	    llext_relink_dependency(kept->copies, 2) != 0) {
		return -3;
	}
	if (llext_save(kept->saved, 16) != llext_save(NULL, 0)) {
		return -4;
	}
	return llext_save(kept->saved, sizeof(kept->saved));
}

/* A program that ends, and leaves its memory and what it saved. */
static int live_and_end(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		kept->size = save();
		_exit(kept->size > 0 ? 0 : 1);
	}
	waitpid(child, &status, 0);
	return status;
}

static void refusals(void)
{
	uint8_t *text = (uint8_t *)kept->copies[0].mem[LLEXT_MEM_TEXT];

	EQUAL(llext_restore_saved(NULL, 0), -EINVAL);
	EQUAL(llext_save(NULL, 1), -EINVAL);
	EQUAL(llext_restore_saved(kept->saved, (size_t)kept->size - 1), -EFAULT);
	kept->saved[kept->size / 2] ^= 1;
	EQUAL(llext_restore_saved(kept->saved, (size_t)kept->size), -EFAULT);
	kept->saved[kept->size / 2] ^= 1;
	text[0] ^= 1;
	EQUAL(llext_restore_saved(kept->saved, (size_t)kept->size), -EFAULT);
	text[0] ^= 1;
	EQUAL(llext_heap_uninit(), 0);
	EQUAL(llext_heap_init(kept->heap + 4096, sizeof(kept->heap) - 4096), 0);
	EQUAL(llext_restore_saved(kept->saved, (size_t)kept->size), -EFAULT);
	EQUAL(llext_heap_uninit(), 0);
	EQUAL(llext_heap_init(kept->heap, sizeof(kept->heap)), 0);
}

static void they_live_again(void)
{
	struct llext *pointers[] = { &kept->copies[0], NULL, &kept->copies[1] }, *object = llext_by_name("object");
	struct llext unknown = kept->copies[0], *none[] = { pointers[0], &unknown };
	const int sides[] = { 3, 4 };

	strcpy(unknown.name, "unknown");
	EQUAL(llext_restore(none, NULL, 2), -ENOENT);
	CHECK(none[0] == &kept->copies[0]);
	memset(unknown.name, 'x', sizeof(unknown.name));
	EQUAL(llext_restore(none, NULL, 2), -EINVAL);
	EQUAL(llext_restore(NULL, NULL, 0), -EINVAL);
	EQUAL(llext_restore(pointers, NULL, 3), 0);
	CHECK(pointers[0] == llext_by_name("app") && pointers[1] == NULL && pointers[2] == llext_by_name("math"));
	CHECK(pointers[0]->dependency[0] == pointers[2]);
	EQUAL(pointers[0]->use_count, 1);
	EQUAL(pointers[2]->use_count, 2);
	CHECK(pointers[0]->mem[LLEXT_MEM_TEXT] == kept->copies[0].mem[LLEXT_MEM_TEXT]);
	EQUAL(call(pointers[0], "area", 2, sides), 12);
	EQUAL(call(object, "read_number", 0, NULL), 7);
	EQUAL(llext_bringup(pointers[0]), -EINVAL);
	EQUAL(llext_bringup(object), 0);
	EQUAL(llext_unload(&pointers[2]), 1);
	EQUAL(llext_unload(&pointers[0]), 0);
	CHECK(llext_by_name("math") == NULL);
	EQUAL(llext_unload(&object), 0);
}

static void extensions_outlive_the_program(void)
{
	struct llext *ext;

	EQUAL(take_heap(), 0);
	kept = mmap(NULL, sizeof(*kept), PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(kept != MAP_FAILED);
	EQUAL(live_and_end(), 0);
	CHECK(llext_by_name("app") == NULL);
	EQUAL(llext_heap_init(kept->heap, sizeof(kept->heap)), 0);
	refusals();
	EQUAL(llext_restore_saved(kept->saved, (size_t)kept->size), 3);
	EQUAL(llext_restore_saved(kept->saved, (size_t)kept->size), -EBUSY);
	they_live_again();
	EQUAL(load("hello.o", "hello", &ext), 0);
	EQUAL(probe(ext), 1);
	EQUAL(llext_unload(&ext), 0);
	EQUAL(llext_heap_uninit(), 0);
	munmap(kept, sizeof(*kept));
	EQUAL(give_heap(1 << 20), 0);
}

TESTS(SAVING_TESTS, TEST(extensions_outlive_the_program), TEST(copies_of_nothing));
#endif
