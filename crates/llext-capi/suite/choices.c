/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a host chooses for all loads. */
#include "suite.h"

#include <pthread.h>

static void all_globals_are_exports(void)
{
	static const char *const kinds[] = { "exported-sym.o", "exported-sym.so" };
	struct llext *ext;

	for (size_t at = 0; at < 2; at++) {
		EQUAL(load(kinds[at], "listed", &ext), 0);
		CHECK(llext_find_sym(&ext->exp_tab, "private_function") == NULL);
		EQUAL(llext_unload(&ext), 0);
		llext_set_import_all_globals(true);
		EQUAL(load(kinds[at], "all", &ext), 0);
		llext_set_import_all_globals(false);
		CHECK(llext_find_sym(&ext->exp_tab, "private_function") != NULL);
		EQUAL(llext_unload(&ext), 0);
	}
}

/* Volatile: every thread has one, and it is looked at anew. */
static __thread volatile int host_counter = 40;
static struct llext *counting;

static void *count_elsewhere(void *result)
{
	*(int *)result = probe(counting);
	return NULL;
}

static void variables_of_the_calling_thread(void)
{
	static struct llext_symbol symbols[] = { { "host_counter", NULL } };
	static const struct llext_symtable variables = { 1, symbols };
	int elsewhere = 0, loaded;
	pthread_t thread;

	EQUAL(load("thread-local.o", "refused", &counting), -ENOTSUP);
	symbols[0].addr = LLEXT_THREAD_OFFSET(host_counter);
	llext_set_thread_locals(&variables);
	loaded = load("thread-local.o", "counting", &counting);
	llext_set_thread_locals(NULL);
#ifdef __i386__
	/* There are rows for such relocations of arm, arm64 and x86-64. */
	EQUAL(loaded, -ENOEXEC);
	if (loaded < 0) {
		return;
	}
#endif
	EQUAL(loaded, 0);
	EQUAL(probe(counting), 42);
	EQUAL(probe(counting), 44);
	EQUAL(pthread_create(&thread, NULL, count_elsewhere, &elsewhere), 0);
	pthread_join(thread, NULL);
	EQUAL(elsewhere, 42);
	EQUAL(host_counter, 44);
	EQUAL(llext_unload(&counting), 0);
}

TESTS(CHOICE_TESTS, TEST(all_globals_are_exports), TEST(variables_of_the_calling_thread));
