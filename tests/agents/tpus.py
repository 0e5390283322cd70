"""A small library on Google's TPUs, in our own words, and a page or two that have nothing to do with them.

The facts are public: N. Jouppi et al., "In-Datacenter Performance Analysis of a Tensor Processing Unit" (ISCA 2017);
N. Jouppi et al., "TPU v4: An Optically Reconfigurable Supercomputer" (ISCA 2023); Google's announcements at I/O in May
2016, 2017, 2018 and 2024, and at Cloud Next in April 2025.
"""

from collections.abc import Mapping

ABOUT_TPUS: Mapping[str, str] = {
    "first-tpu.md": """# The first TPU

Google began to build its own chip for neural networks in 2013, when it became clear that speech recognition would need
twice the data centers that it had. The first Tensor Processing Unit was running in Google's data centers in 2015, only
15 months after the project had begun. It was shown to the public at Google I/O in May 2016.

The first TPU does inference only. Its heart is a matrix unit of 65,536 multipliers for 8-bit integers, with a peak of
92 trillion operations a second. On Google's own workloads it was 15 to 30 times as fast as the CPUs and GPUs of its
day.

Source: N. Jouppi and others, In-Datacenter Performance Analysis of a Tensor Processing Unit, ISCA 2017.
""",
    "training.md": """# TPUs that train: v2 and v3

The second generation of Google's TPU was announced at Google I/O in May 2017. It can train neural networks as well as
run them, since it computes with floating-point numbers of the format bfloat16. A board of four chips reaches 180
teraflops.

The third generation followed in May 2018. TPU v3 is cooled with liquid, and a pod of it is more than eight times as
powerful as a pod of its predecessor.

Source: Google's announcements at I/O 2017 and I/O 2018.
""",
    "supercomputers.md": """# TPU v4 and later

TPU v4 was put into service in 2020. A pod of TPU v4 joins 4,096 chips by optical circuit switches, which can change how
the chips are wired while the machine runs.

Google announced the sixth generation, Trillium, in May 2024. Each Trillium chip has 4.7 times the peak performance of
TPU v5e. In April 2025 Google announced the seventh generation, Ironwood, which was made for inference; the largest
Ironwood pod has 9,216 chips.

Source: N. Jouppi and others, TPU v4, ISCA 2023; Google at I/O 2024 and at Cloud Next 2025.
""",
}

ABOUT_BREAD: Mapping[str, str] = {
    "rye.md": """# Rye bread

Rye bread is made with a sourdough, because rye flour rises badly with yeast alone. A loaf is baked for an hour or more.
Rye bread keeps for a week. The history of rye bread in northern Europe goes back to the Middle Ages.
""",
    "flour.md": """# Kinds of flour

Flour is sold by its ash content in Germany. Type 405 is the finest, and type 1050 is used for bread. Google any type
number and a table of it will come up.
""",
}
