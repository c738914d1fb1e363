/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* So that #include lines written for LLEXT find llext. */
#include <llext/semihost_loader.h>
