#!/bin/sh
# Build a tiny rv32ima Linux, twice: `Image`, and `Image-block` with devices and a file system.
#
#   apt-get install linux-source-6.1 gcc-riscv64-linux-gnu flex bison bc e2fsprogs
#   guests/linux/build.sh [OUTPUT]        the default output is build/linux
#
# LINUX_SOURCE  the tarball        LINUX_WORK  where to unpack and build, 1.5 GB
# JOBS          compilers at once
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../build/linux}
mkdir -p "$out"
out=$(cd "$out" && pwd)
tarball=${LINUX_SOURCE:-/usr/src/linux-source-6.1.tar.xz}
work=${LINUX_WORK:-$out/work}
cross=riscv64-linux-gnu-

need() {
    command -v "$1" >/dev/null || { echo "$1 is missing: apt-get install $2" >&2; exit 2; }
}
need ${cross}gcc gcc-riscv64-linux-gnu
need flex flex
need bison bison
need bc bc
need mke2fs e2fsprogs
test -f "$tarball" || { echo "$tarball is missing: apt-get install linux-source-6.1" >&2; exit 2; }

mkdir -p "$work"
source=$work/linux-source-6.1
test -f "$source/unpacked" || { tar -C "$work" -xf "$tarball"; touch "$source/unpacked"; }

# 1. init: a freestanding program of our own, in the initramfs that the kernel carries.
${cross}gcc -march=rv32ima -mabi=ilp32 -Os -Wall -Wextra -Werror -ffreestanding -fno-pic \
    -fno-stack-protector -fno-builtin -nostdlib -static -no-pie -Wl,--build-id=none \
    -Wl,-melf32lriscv -o "$work/init" "$here/init.c"
sed "s|^file /init init|file /init $work/init|" "$here/initramfs.list" >"$work/initramfs.list"

# 2. The kernels. The same time and user in each build, so that the same source gives the
#    same bytes.
build() {  # name, config fragments
    name=$1
    shift
    objects=$work/$name
    mkdir -p "$objects"
    echo "CONFIG_INITRAMFS_SOURCE=\"$work/initramfs.list\"" >"$objects/initramfs.config"
    linux="make -C $source O=$objects ARCH=riscv CROSS_COMPILE=$cross -s -j${JOBS:-2}"
    export KBUILD_BUILD_TIMESTAMP='2022-12-11' KBUILD_BUILD_USER=toyvmm KBUILD_BUILD_HOST=toyvmm
    $linux tinyconfig
    (cd "$objects" && "$source/scripts/kconfig/merge_config.sh" -m -O . .config "$@" \
        initramfs.config >/dev/null)
    $linux olddefconfig
    # A fragment that names what this kernel does not have would be dropped silently.
    cat "$@" | grep 'CONFIG_' | while read -r want; do
        grep -qxF "$want" "$objects/.config" && continue
        case $want in *"is not set") grep -q "^$(echo "$want" | cut -d' ' -f2)=" \
            "$objects/.config" || continue ;; esac
        echo "$name: not in effect: $want" >&2
        exit 2
    done
    $linux Image
    cp "$objects/arch/riscv/boot/Image" "$out/$name"
    cp "$objects/System.map" "$out/$name.map"
}
build Image "$here/tiny.config"
build Image-block "$here/tiny.config" "$here/block.config"

# 3. A disk with a file on it, and an initrd that adds a file to the built-in one.
rm -rf "$work/files" && mkdir "$work/files"
echo "hello from the disk" >"$work/files/greeting"
rm -f "$out/disk.img"
mke2fs -q -t ext2 -b 1024 -d "$work/files" "$out/disk.img" 1024
echo "hello from the initrd" >"$work/motd"
echo "file /motd $work/motd 0644 0 0" >"$work/initrd.list"
"$work/Image/usr/gen_init_cpio" -t 0 "$work/initrd.list" >"$out/initrd.cpio"
ls -l "$out"
