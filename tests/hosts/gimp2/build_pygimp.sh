#!/bin/sh
# Runs inside the chroot: Python-Fu for GIMP 2.10, which no distribution ships any more.
# Expects /build with the source archives of pycairo and PyGObject.
set -e
export LANG=C.UTF-8 HOME=/root
cd /build
for archive in *.tar.gz; do tar xf "$archive"; done
(cd pycairo-*/ && python2.7 setup.py -q install)
(cd [Pp]y[Gg][Oo]bject-*/ && python2.7 setup.py -q install)

apt-get -qq update
version=$(apt-cache showsrc gimp | sed -n 's/^Version: //p' | grep '^2\.10\.34' | sort -V | tail -n 1)
apt-get -qq source --download-only "gimp=$version"
tar xf gimp_2.10.34.orig.tar.bz2 gimp-2.10.34/plug-ins/pygimp

cd gimp-2.10.34/plug-ins/pygimp
headers=$(dirname "$(find /usr/local/include -name pygobject.h | head -n 1)")
# pygimp is of the time of PyGObject 2, whose initialisation macro took no arguments.
compile() {
    output=$1
    shift
    gcc -O1 -fPIC -shared -w -o "/opt/pygimp/$output" "$@" \
        -I. "-I$headers" -I/usr/include/python2.7 \
        $(pkg-config --cflags gimp-2.0 gimpui-2.0) \
        '-DPYGIMP_INTERNAL' '-DGETTEXT_PACKAGE="gimp20-python"' \
        '-DLOCALEDIR="/usr/share/locale"' '-Dinit_pygobject()=pygobject_init(-1,-1,-1)' \
        $(pkg-config --libs gimp-2.0 gimpui-2.0) -lm
}
mkdir -p /opt/pygimp
compile gimpcolor.so gimpcolormodule.c pygimp-colors.c
compile _gimpenums.so gimpenumsmodule.c
compile gimp.so gimpmodule.c pygimp-display.c pygimp-drawable.c pygimp-image.c \
    pygimp-item.c pygimp-parasite.c pygimp-pdb.c pygimp-tile.c pygimp-vectors.c
cp gimpenums.py gimpfu.py gimpplugin.py gimpshelf.py /build/pygtk.py /opt/pygimp/
ln -sf python2.7 /usr/bin/python2
rm -rf /build /var/lib/apt/lists/*
