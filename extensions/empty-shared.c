//! about: a shared object made from an empty source holds start files only; it loads and unloads
//! kinds: so (empty is the same for objects)
//! hides: probe main
