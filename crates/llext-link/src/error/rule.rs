//! What the specification wants where a value is bad: words for whoever prints an error, which no device need hold.

/// What a field of a program header must be (gABI, "Program Header").
pub(super) fn of_segment(field: &str) -> &'static str {
    match field {
        "p_align" => "a power of two up to 0x10000",
        "p_vaddr" => {
            "an address behind the segment before it, in the image, equal to p_offset modulo p_align; \
             for PT_GNU_RELRO that of variables, and no code behind it"
        }
        "p_filesz" => "at most p_memsz",
        "p_memsz" => "an end inside the address space",
        "p_flags" => "one segment each of code, constants and variables",
        "number of PT_LOAD" => "at most 16",
        "number of PT_NOTE" => "at most 4, and 1 in what `llext link` wrote",
        _ => "what the gABI allows",
    }
}

/// What the entry of the dynamic section called `tag` must be (gABI, "Dynamic Section").
pub(super) fn of_tag(tag: &str) -> &'static str {
    match tag {
        "DT_SYMENT" | "DT_RELENT" | "DT_RELAENT" | "DT_RELRENT" => "the size of this format's entries",
        "DT_GNU_HASH" | "DT_HASH" => "a well-formed hash table before all that is written",
        "DT_NEEDED" => "the offset of a name in DT_STRTAB",
        "DT_PLTREL" => "DT_REL or DT_RELA",
        "DT_INIT" | "DT_FINI" => "an address in the image",
        "DT_SYMTAB" | "DT_STRTAB" => "a table in the image, before all that is written",
        "DT_REL" => "whole entries in the image, and none in DT_RELA",
        _ => "whole entries in the image",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_to_all_tables_is_said_of_those_without_a_rule_of_their_own() {
        assert_eq!(of_tag("DT_RELR"), "whole entries in the image");
        assert_eq!(of_segment("p_paddr"), "what the gABI allows");
    }
}
