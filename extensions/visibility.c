//! about: hidden and internal symbols link within the extension and are not exported; protected ones are
//! shows[o]: STV_HIDDEN STV_PROTECTED
//! shows[gcc+o]: STV_INTERNAL
//! call: probe() = 1111
//! exports: probe protected_function protected_number
//! hides: hidden_function hidden_number internal_function static_function
#define VISIBILITY(kind) __attribute__((visibility(kind)))

VISIBILITY("hidden") int hidden_number = 1;
VISIBILITY("hidden") int hidden_function(void) { return 10; }
VISIBILITY("internal") int internal_function(void) { return 100; }
VISIBILITY("protected") int protected_number = 500;
VISIBILITY("protected") int protected_function(void) { return protected_number; }
static int static_function(void) { return 500; }

int probe(void)
{
	return hidden_number + hidden_function() + internal_function() + protected_function() + static_function();
}
