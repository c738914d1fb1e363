//! about: a file with nothing in it is told from one that does something
//! kinds: o r (a shared object holds its compiler's start files)
//! error: NothingToLoad
