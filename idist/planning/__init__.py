"""What a run will cost on this machine before it is begun, and what a finished one cost beside what was planned.

Words: a stage's work has *parts* (drawing samples, one critic, training); a part has *items*, counted from the config
and from *yields* (what share of the candidates a critic leaves, how long sentences are), and a *rate*, measured on the
machine at hand or recorded on another. Hours are items times rates; memory and disk follow from shapes and yields.
"""
