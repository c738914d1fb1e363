//! about: a shared object made from nothing loads, exports nothing, and unloads
//! kinds: so (an object with nothing in it is refused: empty)
//! hides: probe main
