"""Where everything comes from that is not ours: what it is, whether it is known to be bad, and under which licence.

Owns the bill of materials, the list of licences, the audit, the search for secrets and the digests of the base images.
Development only: it is in no image and in no wheel, and knows nothing of the product's code.
"""
