//! Where each field of the C structures lies, for 32 and for 64 bits: checked by this compiler for every target, and by C
//! compilers for the headers.

use crate::types::*;
use core::ffi::c_uint;
use core::mem::offset_of;

/// A number that both sides must agree on.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The C expression.
    pub c: &'static str,
    /// Its value where addresses have 32 bits, and 64.
    pub values: [usize; 2],
}

macro_rules! layout {
    ($($type:ident $name:literal $size:literal $size64:literal { $($field:ident $at:literal $at64:literal)* })*) => {
        /// Every size and offset.
        pub const ROWS: &[Row] = &[$(
            Row { c: concat!("sizeof(", $name, ")"), values: [$size, $size64] },
            $(Row { c: concat!("offsetof(", $name, ", ", stringify!($field), ")"), values: [$at, $at64] },)*
        )*];

        const _: () = {
            const WIDE: usize = cfg!(target_pointer_width = "64") as usize;
            $(
                assert!(size_of::<$type>() == [$size, $size64][WIDE]);
                $(assert!(offset_of!($type, $field) == [$at, $at64][WIDE]);)*
            )*
        };
    };
}

layout! {
    c_uint "enum llext_mem" 4 4 {}
    c_uint "enum llext_storage_type" 4 4 {}
    Symbol "struct llext_symbol" 8 16 { name 0 0 addr 4 8 }
    SymbolTable "struct llext_symtable" 8 16 { sym_cnt 0 0 syms 4 8 }
    ElfHeader "elf_ehdr_t" 52 64 {
        e_type 16 16 e_machine 18 18 e_version 20 20 e_entry 24 24 e_phoff 28 32 e_shoff 32 40 e_flags 36 48
        e_ehsize 40 52 e_phentsize 42 54 e_phnum 44 56 e_shentsize 46 58 e_shnum 48 60 e_shstrndx 50 62
    }
    ElfSection "elf_shdr_t" 40 64 {
        sh_name 0 0 sh_type 4 4 sh_flags 8 8 sh_addr 12 16 sh_offset 16 24 sh_size 20 32 sh_link 24 40 sh_info 28 44
        sh_addralign 32 48 sh_entsize 36 56
    }
    Llext "struct llext" 236 408 {
        name 0 0 mem 48 48 mem_size 100 152 mem_on_heap 152 256 alloc_size 168 272 sym_tab 172 280 exp_tab 180 296
        use_count 188 312 dependency 192 320 sect_cnt 224 384 sect_hdrs 228 392 sect_hdrs_on_heap 232 400
        mmu_permissions_set 233 401
    }
    c_uint "enum llext_compression_type" 4 4 {}
    LoadParam "struct llext_load_param" 16 24 {
        relocate_local 0 0 pre_located 1 1 section_detached 4 8 keep_section_info 8 16 compression_type 12 20
    }
    Loader "struct llext_loader" 604 960 {
        prepare 0 0 read 4 8 seek 8 16 peek 12 24 finalize 16 32 get_size 20 40 storage 24 48 hdr 28 56 sects 80 120
        sect_map 600 952
    }
    BufLoader "struct llext_buf_loader" 616 984 { loader 0 0 buf 604 960 len 608 968 pos 612 976 }
    FsLoader "struct llext_fs_loader" 616 984 { loader 0 0 is_open 604 960 name 608 968 file 612 976 }
    SemihostLoader "struct llext_semihost_loader" 620 992 {
        loader 0 0 filename 604 960 fd 608 968 total_bytes 612 976 size 616 984
    }
    FileHooks "struct llext_file_hooks" 16 32 { open 0 0 read 4 8 seek 8 16 close 12 24 }
}
