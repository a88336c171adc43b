"""GAP on MNIST: four DCGANs that swap discriminators twice an epoch, the paper's GAP_D4, scored by GAM-II.

Paper      Im et al. 2016, https://arxiv.org/abs/1612.04021; networks of Radford et al. 2015
Published  GAM-II, the lowest and the highest of the members: .430 and .476 on average, .355 and .405 at worst; of
           DCGANs trained alone .352 and .395, .312 and .351. The paper's panel of judges has ten discriminators from
           several runs; this recipe's has the four of its own run, so the numbers cannot be compared
Ours       not scored yet
Command    zoo train gap_mnist
Time       not measured yet
"""

from zoo import GAP, metrics, recipe

SAMPLES = 1000


def main(
    run,
    *,
    data="mnist",
    steps=10_800,
    batch_size=100,  # per member
    checkpoint_every=540,
    members=4,
    swap_every=270,  # half of 54,000 images in minibatches of 100; 0 trains each member alone
    filters=64,
):
    dataset = run.data()
    with run.strategy.scope():
        model = GAP(dataset.data_shape, members=members, swap_every=swap_every, filters=filters, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    best, errors = metrics.best_before_panel(model.samples_of_members(SAMPLES), model.panel())
    for member, error in enumerate(errors):
        print(f"member {member}: GAM-II {error['average']:.3f} on average, {error['worst']:.3f} at worst")
    print(f"member {best} of {members} is exported")
    model.select(best)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
