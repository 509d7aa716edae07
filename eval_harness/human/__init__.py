"""Human evaluation (paper, section 4.2 and appendix D): people rate outputs of several systems on a scale of three.

A *study* is a file with the outputs (`study`, `sample`). People's *answers* are in a database (`store`), which the
Space `spaces/annotate` fills. `analysis` makes means, intervals, tests and agreement of them, `export` results that
the harness reads like those of any metric.
"""
