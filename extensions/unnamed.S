//! about: a file whose symbols have no names: an empty string table, one constructor without effect
//! kinds: o r-ld (nothing can be kept by name)
//! shows: .init_array
	.text
.Lconstructor:
	ret

	.section .init_array, "aw", @init_array
	.balign	8
	.quad	.Lconstructor

	.section .note.GNU-stack, "", @progbits
