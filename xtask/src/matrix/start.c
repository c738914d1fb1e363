/* What a compiler's start files have for shared objects: there are none for boards. */
__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;
