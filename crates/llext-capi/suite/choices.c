/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a host chooses for all loads. */
#include "suite.h"

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
static __thread volatile int host_counter;

/* Loads what adds 2 to the calling thread's variable. */
static int load_counting(struct llext **ext)
{
	static struct llext_symbol symbols[] = { { "host_counter", NULL } };
	static const struct llext_symtable variables = { 1, symbols };
	int loaded;

	symbols[0].addr = LLEXT_THREAD_OFFSET(host_counter);
	llext_set_thread_locals(&variables);
	loaded = load("thread-local.o", "counting", ext);
	llext_set_thread_locals(NULL);
	return loaded;
}

#if defined(__i386__) || defined(__riscv)
/* The relocations of such variables have rows for arm, arm64 and x86-64. */
static void thread_local_variables(void)
{
	struct llext *ext;

	EQUAL(load_counting(&ext), -ENOEXEC);
}

#define ELSEWHERE "there are no relocations for variables of threads"
#else
static void thread_local_variables(void)
{
	struct llext *ext;

	EQUAL(load("thread-local.o", "refused", &ext), -ENOTSUP);
	EQUAL(load_counting(&ext), 0);
	host_counter = 40;
	EQUAL(probe(ext), 42);
	EQUAL(probe(ext), 44);
	EQUAL(host_counter, 44);
	EQUAL(llext_unload(&ext), 0);
}
#ifndef __linux__
#define ELSEWHERE "there are no threads"
#endif
#endif

#ifndef ELSEWHERE
#include <pthread.h>

static void *count_elsewhere(void *result)
{
	struct llext *counting = llext_by_name("counting");

	host_counter = 10;
	*(int *)result = counting ? probe(counting) : 0;
	return NULL;
}

static void variables_of_the_calling_thread(void)
{
	struct llext *ext;
	int elsewhere = 0;
	pthread_t thread;

	EQUAL(load_counting(&ext), 0);
	host_counter = 40;
	EQUAL(pthread_create(&thread, NULL, count_elsewhere, &elsewhere), 0);
	pthread_join(thread, NULL);
	EQUAL(elsewhere, 12);
	EQUAL(probe(ext), 42);
	EQUAL(host_counter, 42);
	EQUAL(llext_unload(&ext), 0);
}
#define OF_THREADS TEST(variables_of_the_calling_thread)
#else
#define OF_THREADS LEFT_OUT(variables_of_the_calling_thread, ELSEWHERE)
#endif

TESTS(CHOICE_TESTS, TEST(all_globals_are_exports), TEST(thread_local_variables), OF_THREADS);
