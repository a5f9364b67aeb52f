# Boots systemd in a container over the files of this machine, with the service, and runs a script there as a unit.
# boot.sh DIRECTORY UNIT PREFIX SOURCES: DIRECTORY has `probe.sh`, which writes what it finds below /opt/out.
set -e
place=$1 unit=$2 prefix=$3 sources=$4
mkdir "$place/root" "$place/layers"
mount -t tmpfs none "$place/layers"
mkdir "$place/layers/upper" "$place/layers/work"
mount -t overlay -o "lowerdir=/,upperdir=$place/layers/upper,workdir=$place/layers/work" overlay "$place/root"
umount -l /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
cd "$place/root"
rm -rf etc/systemd/system/*.wants opt
mkdir -p opt/venv opt/src opt/bin opt/out
sed "s,@bin@,/opt/bin," "$unit" >etc/systemd/system/slabtui.service
printf '#!/bin/sh\nPYTHONPATH=/opt/src exec /opt/venv/bin/python -m slabtui "$@"\n' >opt/bin/slabtui
chmod 755 opt/bin/slabtui
cat >etc/systemd/system/probe.service <<END
[Unit]
After=slabtui.service
[Service]
Type=oneshot
ExecStart=/bin/sh -e /opt/out/probe.sh
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
END
systemctl --quiet --root="$place/root" enable slabtui.service probe.service
exec systemd-nspawn --quiet --directory="$place/root" --boot --register=no --keep-unit --private-network \
	--capability=all --system-call-filter="bpf perf_event_open capset" --bind-ro="$prefix:/opt/venv" \
	--bind-ro="$sources/slabtui:/opt/src/slabtui" --bind="$place/out:/opt/out"
