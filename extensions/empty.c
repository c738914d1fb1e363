//! about: a file with nothing in it loads, exports nothing, and unloads
//! kinds: o r (empty-shared is the same for shared objects, which hold their compiler's start files)
//! hides: probe main
