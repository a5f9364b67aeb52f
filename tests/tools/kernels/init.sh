#!/bin/busybox sh
# The guest's first process: puts the kernel's files over this machine's own, and a layer over both that takes what is
# written and is thrown away; runs /out/command in there; switches off. /out is the one place that outlives the guest.
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /host /kernel /layer /new
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do insmod "$module"; done

# Programs at the same addresses each time (the kernel's own stay random): the emulator can use its translations again.
echo 0 >/proc/sys/kernel/randomize_va_space

share=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o "ro,cache=loose,$share" host /host
mount -t 9p -o "ro,cache=loose,$share" kernel /kernel
mount -t tmpfs -o size=75% tmpfs /layer
mkdir /layer/written /layer/work
mount -t overlay -o lowerdir=/kernel:/host,upperdir=/layer/written,workdir=/layer/work overlay /new

cd /new && mkdir -p out proc sys dev run
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t devtmpfs devtmpfs dev
mount -t tmpfs tmpfs run
mkdir -p dev/pts dev/shm
mount -t devpts devpts dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t debugfs debugfs sys/kernel/debug
mount -t tracefs tracefs sys/kernel/tracing
mount -t cgroup2 cgroup2 sys/fs/cgroup
ip link set lo up
mount -t 9p -o "$share" out out

chroot /new /usr/bin/env -i HOME=/root TERM=linux LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/bin/sh /out/command </dev/null >/new/out/output 2>&1
echo $? >/new/out/status
sync
poweroff -f
