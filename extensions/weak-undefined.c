//! about: weak symbols nobody defines are 0 in data, through the GOT and to a branch that is not taken
//! shows[o r]: R_X86_64_64
//! shows[o-default]: R_X86_64_REX_GOTPCRELX R_X86_64_PLT32
//! shows[o-large-pic]: R_X86_64_GOT64
//! call: function_by_code() = -1
//! call: object_by_code() = -1
//! call: function_by_data() = 0
//! call: object_by_data() = 0
__attribute__((weak)) int absent_function(int value);
__attribute__((weak)) extern int absent_object;

static int (*volatile function)(int) = absent_function;
static int *volatile object = &absent_object;

int function_by_code(void) { return absent_function ? absent_function(1) : -1; }
int object_by_code(void) { return &absent_object ? absent_object : -1; }
int function_by_data(void) { return function != 0; }
int object_by_data(void) { return object != 0; }
