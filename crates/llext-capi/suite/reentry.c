/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Callbacks, and extensions themselves, that call the library back. */
#include "suite.h"

static int unload_it(struct llext *ext, void *arg)
{
	struct llext *other;

	++*(int *)arg;
	if (llext_unload(&ext) != 0 || load("hello.o", "another", &other) < 0) {
		return -1;
	}
	return llext_unload(&other) < 0;
}

static struct llext *inner;

static void load_inside(void)
{
	logged_number = load("hello.o", "inner", &inner);
}

static bool loads_meanwhile(const elf_shdr_t *header)
{
	(void)header;
	if (!inner) {
		load_inside();
	}
	return false;
}

/* Callbacks may call anything; nothing is locked meanwhile. */
static void callbacks_may_call_back(void)
{
	struct llext_load_param param = LLEXT_LOAD_PARAM_DEFAULT;
	struct file file = slurp("hello.o");
	struct llext_buf_loader loader = LLEXT_PERSISTENT_BUF_LOADER(file.bytes, file.size);
	struct llext *one, *two;
	const int value[] = { 4 };
	int visits = 0;

	inner = NULL;
	param.section_detached = loads_meanwhile;
	EQUAL(llext_load(&loader.loader, "one", &one, &param), 0);
	CHECK(inner && llext_unload(&inner) == 0);
	EQUAL(load("calls-back.o", "two", &two), 0);
	while_applied = load_inside;
	EQUAL(call(two, "probe", 1, value), 5);
	while_applied = NULL;
	EQUAL(llext_unload(&inner), 0);
	EQUAL(llext_iterate(unload_it, &visits), 0);
	EQUAL(visits, 2);
	drop(&file);
}

static struct llext *others[10];

static int replace(struct llext *ext, void *arg)
{
	int *visits = (int *)arg;
	char name[] = "new 0";

	name[4] += *visits;
	return *visits > 8 || load("hello.o", name, &others[(*visits)++]) != 0 || llext_unload(&ext) != 0;
}

/* What a visitor loads is not visited, so that it ends. */
static void a_visitor_may_replace_all(void)
{
	struct llext *one, *two;
	int visits = 0;

	EQUAL(load("hello.o", "one", &one), 0);
	EQUAL(load("hello.o", "two", &two), 0);
	EQUAL(llext_iterate(replace, &visits), 0);
	EQUAL(visits, 2);
	EQUAL(llext_unload(&one), -EINVAL);
	EQUAL(llext_unload(&two), -EINVAL);
	EQUAL(llext_unload(&others[0]), 0);
	EQUAL(llext_unload(&others[1]), 0);
}

static int unload_and_load(struct llext *ext, void *arg)
{
	struct llext *visited = ext;

	(void)arg;
	return llext_unload(&ext) != 0 || load("hello.o", "one", &ext) != 0 || ext != visited;
}

/* The visit keeps it, so that the load finds it. */
static void what_is_visited_stays(void)
{
	struct llext *one;

	EQUAL(load("hello.o", "one", &one), 0);
	EQUAL(llext_iterate(unload_and_load, NULL), 0);
	EQUAL(one->use_count, 1);
	EQUAL(llext_unload(&one), 0);
}

static struct llext *own;
static int said[8];

static void in_a_constructor(void)
{
	struct llext *again = own;

	said[0] = llext_bringup(own);
	said[1] = load("hello.o", "reenters", &again);
	said[2] = llext_unload(&again);
	said[3] = load("hello.o", "other", &again);
	said[4] = llext_unload(&again);
	said[5] = llext_by_name("reenters") == own;
	said[6] = llext_teardown(own);
	said[7] = probe(own);
}

static void constructors_may_call_back(void)
{
	static const int expected[] = { -EINVAL, 1, 1, 0, 0, 1, -EINVAL, 0 };

	EQUAL(load("reenters.o", "reenters", &own), 0);
	while_applied = in_a_constructor;
	EQUAL(llext_bringup(own), 0);
	while_applied = NULL;
	for (int at = 0; at < 8; at++) {
		EQUAL(said[at], expected[at]);
	}
	EQUAL(probe(own), 1);
	EQUAL(llext_unload(&own), 0);
}

static void unload_own(void)
{
	while_applied = NULL;
	said[0] = llext_unload(&own);
}

/* It stays until its constructor has returned. */
static void a_constructor_may_unload_its_extension(void)
{
	struct llext *stale;

	EQUAL(load("reenters.o", "reenters", &own), 0);
	stale = own;
	while_applied = unload_own;
	EQUAL(llext_bringup(own), 0);
	CHECK(said[0] == 0 && own == NULL);
	EQUAL(llext_bringup(stale), -EINVAL);
	CHECK(llext_by_name("reenters") == NULL);
}

static void in_a_destructor(void)
{
	struct llext *again = own;

	said[0] = llext_unload(&again);
	said[1] = llext_bringup(own);
	said[2] = load("hello.o", "reenters", &again);
	said[3] = llext_by_name("reenters") == NULL;
	said[4] = load("hello.o", "other", &again);
	said[5] = llext_unload(&again);
}

static void destructors_may_call_back(void)
{
	static const int expected[] = { -EINVAL, -EINVAL, -EBUSY, 1, 0, 0 };

	EQUAL(load("reenters.o", "reenters", &own), 0);
	EQUAL(llext_bringup(own), 0);
	while_applied = in_a_destructor;
	EQUAL(llext_unload(&own), 0);
	while_applied = NULL;
	for (int at = 0; at < 6; at++) {
		EQUAL(said[at], expected[at]);
	}
}

static bool loads_the_same(const elf_shdr_t *header)
{
	(void)header;
	if (!inner) {
		said[0] = load("hello.o", "same", &inner);
	}
	return false;
}

static int loads_first(struct llext_loader *loader)
{
	(void)loader;
	return load("hello.o", "same", &inner);
}

static int finals;

static void finals_are_counted(struct llext_loader *loader)
{
	(void)loader;
	finals++;
}

/* Whoever is first has the name; the load around it is another use. */
static void a_load_inside_a_load_of_its_name(void)
{
	struct llext_load_param param = LLEXT_LOAD_PARAM_DEFAULT;
	struct file file = slurp("hello.o");
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(file.bytes, file.size);
	struct llext *ext;

	inner = NULL;
	param.section_detached = loads_the_same;
	EQUAL(llext_load(&loader.loader, "same", &ext, &param), 1);
	CHECK(ext == inner && said[0] == 0);
	EQUAL(llext_unload(&inner), 1);
	EQUAL(llext_unload(&ext), 0);
	finals = 0;
	loader.loader.prepare = loads_first;
	loader.loader.finalize = finals_are_counted;
	EQUAL(llext_load(&loader.loader, "same", &ext, NULL), 1);
	CHECK(ext == inner);
	EQUAL(finals, 1);
	EQUAL(llext_unload(&inner), 1);
	EQUAL(llext_unload(&ext), 0);
	drop(&file);
}

static void load_when_told(int error, const char *line)
{
	hear(error, line);
	llext_set_log_hook(hear);
	load_inside();
}

static void the_log_may_call_back(void)
{
	struct llext *ext;

	inner = NULL;
	llext_set_log_hook(load_when_told);
	EQUAL(load("app.o", "app", &ext), -ENODATA);
	CHECK(inner && llext_unload(&inner) == 0);
}

TESTS(REENTRY_TESTS, TEST(callbacks_may_call_back), TEST(a_visitor_may_replace_all), TEST(what_is_visited_stays),
      TEST(constructors_may_call_back), TEST(a_constructor_may_unload_its_extension), TEST(destructors_may_call_back),
      TEST(a_load_inside_a_load_of_its_name), TEST(the_log_may_call_back));
