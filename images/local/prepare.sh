#!/bin/sh
# Turns a Debian or Ubuntu root file system with the packages of ./packages into a machine image: systemd as init,
# cloud-init fed from a seed folder, nothing inside that two machines must not share. Run as root inside.
set -eu

cat >/etc/cloud/cloud.cfg.d/99-summitctl.cfg <<'CONFIG'
# The container engine has set up the network; only what user-data asks for is applied.
datasource_list: [ NoCloud, None ]
network: { config: disabled }
locale: false
cloud_init_modules: [ write-files, set_hostname, users-groups, ssh ]
cloud_config_modules: [ runcmd ]
cloud_final_modules: [ scripts-user ]
CONFIG

# Machines are changed by their operator only. getty would fight over a console that is not there.
systemctl mask apt-daily.timer apt-daily-upgrade.timer systemd-networkd.service systemd-networkd.socket \
  getty.target console-getty.service >/dev/null 2>&1
systemctl enable ssh.service >/dev/null 2>&1

cloud-init clean --logs >/dev/null 2>&1 || true
mkdir -p /var/lib/cloud/seed/nocloud
rm -f /etc/ssh/ssh_host_*
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt
