"""Bounds that no real host exceeds: a recording beyond them is refused before it takes memory and time."""

MOST_CACHES = 16384  # the table has 4096 slots; a kernel lists some hundred caches, idle ones included
MOST_ENTRIES = 32768  # rows of an inspection of one kind: twice what it has room for
MOST_FRAMES = 128  # a stack map of bcc has 127
MOST_ALIASES = 1024  # names of one size; a kernel has some hundred caches in all
MOST_NODES = 1024  # MAX_NUMNODES of the kernel
MOST_BESIDE = 64  # counts beside a cache, and sites that the kernel knows: a few of each are written
MOST_NOTES = 4096  # one for each process of -p that has ended
LONGEST_TEXT = 4 * 1024  # characters: twice the 512 bytes of a symbol's name (KSYM_NAME_LEN), each one escaped
LONGEST_PATH = 4 * 4096  # PATH_MAX, each byte escaped: the path of a control group; a command line, too
LONGEST_ADDRESS = len("0x") + 16
LONGEST_LINE = 16 << 20  # bytes: 4096 caches take 2 MiB, 16384 processes in control groups of Kubernetes 8 MiB
LARGEST_COUNT = (1 << 64) - 1  # the kernel counts in 64 bits
LARGEST_RATE = 2.0**80  # in bytes per hour: beyond what any number of bytes grows to in a second
MOST_KEYS = 1 << 16  # caches that are remembered from line to line, of recordings of older versions

_MOST_ROWS = MOST_CACHES + MOST_ENTRIES
MOST_CONTAINERS = 4 * _MOST_ROWS  # objects and lists in a line; each takes some 100 bytes
MOST_MEMBERS = 14 * _MOST_ROWS  # of objects; in a dict of Python each takes 100 bytes and more
MOST_TEXTS = 24 * _MOST_ROWS  # names of members included; each takes 57 bytes and its characters


def is_simple(line: bytes) -> bool:
    """Return whether Python makes of a line no more than a few times its length.

    Characters within texts count too, of which real names have few.
    """
    containers, members, texts = line.count(b"[") + line.count(b"{"), line.count(b":"), line.count(b'"') // 2
    return containers <= MOST_CONTAINERS and members <= MOST_MEMBERS and texts <= MOST_TEXTS
