/* What a compiler's start files have for shared objects: there are none for boards. */
__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;

/* Rust's core for Linux was compiled to unwind. Here nothing does, but without optimisation the name stays. */
__attribute__((visibility("hidden"), weak)) void rust_eh_personality(void)
{
}
