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

TESTS(CHOICE_TESTS, TEST(all_globals_are_exports));
