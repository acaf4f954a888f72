"""The page Views: all codes at once, in projections, compared with the prior, and by dimension; one step per screen."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages import cache
from pages.ui import colours, pictures, prior, state, steps, words
from pages.ui.language import _, said
from vae import figures, latent
from vae.errors import VAEError
from vae.latent import aggregate, neighbours, projections

model = cache.model_id(state.model())
record = cache.record(state.model())
size, autoencoder = record.model.latent, record.autoencoder
dataset = cache.images(model)
codes = cache.codes(model)
shown = min(projections.IMAGES, len(dataset.test))
DEEPEST = 6  # pictures of holes
HEIGHT, TALL = 380, 540  # pixels of a figure that is one of three, and of one that is alone
SECONDS = {"tsne": 10, "umap": 15}  # for 2,000 codes on one thread


def chart(figure: go.Figure, name: str, alt: str, height: int) -> None:
    """Shows a figure with a height in pixels, enlarged in presenter mode."""
    figure.update_layout(height=state.larger(height))
    st.plotly_chart(figure, key=f"views.{name}.{model[0]}", config={"displayModeBar": False}, alt=alt)


def says_of(name: str, painted: cache.latent.Colouring) -> str:
    """Returns the alternative text of a projection."""
    says = {
        "classes": _("{name} of the codes, coloured by class"),
        "density": _("{name} of the codes, coloured by density"),
        "clusters": _("{name} of the codes, coloured by k-means cluster"),
    }
    return says[painted.kind].format(name=name)


def principal(painted: cache.latent.Colouring) -> None:
    """Draws the codes projected onto their first two principal directions."""
    axes = cache.axes(model, None)
    points = axes.project(codes.mean[:shown])
    titles = (_("first principal direction"), _("second principal direction"))
    chart(
        figures.latent.projected(points, painted.labels[:shown], colours.names(dataset, painted), titles), "pca",
        says_of("PCA", painted), HEIGHT if size > 2 else TALL,
    )  # fmt: skip
    st.caption(
        _(
            "PCA: the plane that captures the largest share of the codes' variance, {share:.0%}. Distances within "
            "the plane are true to scale."
        ).format(share=axes.share.sum())
    )


def embedded(method: projections.Method, name: str, painted: cache.latent.Colouring) -> None:
    """Draws the t-SNE or UMAP of the codes if it has been computed, or offers to compute it."""
    points = cache.latent.projection(model, method)
    if points is None:
        st.caption(
            _(
                "{name} of this model's codes has not been computed yet. This takes about {seconds} s, and the "
                "result is saved."
            ).format(name=name, seconds=SECONDS[method])
        )
        if not st.button(
            _("Compute {name}").format(name=name), icon=":material/play_arrow:", key=f"views.{method}.run"
        ):
            return
        try:
            with st.spinner(_("Computing {name} of {count:,} codes ...").format(name=name, count=shown)):
                points = cache.latent.compute_projection(model, dataset.name, method)
        except VAEError as error:  # a missing package, or codes that are all equal
            st.error(said(error), icon=":material/error:")
            return
    chart(
        figures.latent.projected(points, painted.labels[:shown], colours.names(dataset, painted), None), method,
        says_of(name, painted), HEIGHT,
    )  # fmt: skip
    st.caption(_("{name} keeps neighbours together. It uses only the codes, not the colours.").format(name=name))


def where_codes_lie() -> None:
    st.subheader(_("The codes in latent space"), anchor=False)
    painted = colours.choose(model)
    columns = st.columns(3 if size > 2 else [3, 2], gap="medium")
    with columns[0]:
        principal(painted)
    if size == 2:
        columns[1].markdown(
            _(
                "J = 2: this is the latent plane itself, rotated so that the direction of largest variance is "
                "horizontal. t-SNE and UMAP are for models with more dimensions."
            )
        )
        return
    with columns[1]:
        embedded("tsne", "t-SNE", painted)
    with columns[2]:
        embedded("umap", "UMAP", painted)
    st.caption(
        _(
            "{count:,} test images at the means of their q(z|x). In t-SNE and UMAP plots, the distances between "
            "clusters and the sizes and densities of clusters mean almost nothing, and clusters can appear even in "
            "noise (Wattenberg et al. 2016). Read off which points are neighbours, and nothing more."
        ).format(count=shown)
    )


def what_dimensions_carry() -> None:
    st.subheader(_("Information in each dimension"), anchor=False)
    variance = codes.mean.var(0)
    carried = cache.carried(model)[0]
    order = np.argsort(-carried, kind="stable")
    active = aggregate.active_units(codes.mean)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        chart(
            figures.latent.dimension_bars(
                [words.coordinate(int(j)) for j in order], None if autoencoder else carried[order], variance[order],
                aggregate.ACTIVE, (_("KL, nats"), _("variance of means")),
            ),
            "dimensions", _("KL and variance of the posterior means of each latent dimension"), TALL,
        )  # fmt: skip
    right.markdown(
        _(
            "**{active} of {all} units are active**: the variance over images of the mean of $q(z_j|x)$ exceeds 0.01 "
            "(Burda et al. 2016). The means of the other units are nearly the same for every image."
        ).format(active=int(active.sum()), all=size)
    )
    if not autoencoder:
        right.markdown(
            _(
                "The KL measures how much information a dimension carries about an image, {kl:.1f} nats in total. "
                "Where it is below {least:g} nats, $q(z_j|x)$ is practically equal to the prior: the dimension has "
                "collapsed, and adds almost nothing to the complexity penalty."
            ).format(kl=float(carried.sum()), least=latent.COLLAPSED)
        )


def against_the_prior() -> None:
    st.subheader(_("Aggregate posterior and prior"), anchor=False)
    if autoencoder:
        st.caption(_("A plain autoencoder has neither a prior nor a posterior, so there is nothing to compare."))
        return
    st.markdown(
        _(
            "The decoder was trained on codes from the aggregate posterior of the training images, $q(z) = \\frac1N "
            "\\sum_n q(z|x_n)$, but generation samples from the prior $p(z)$. A **hole** is a region with prior "
            "density but almost no codes: $q(z) < 0.01\\,p(z)$, within the region that contains 95% of the prior's "
            "mass."
        )
    )
    with st.spinner(
        _("Computing the aggregate posterior of {count:,} training images ...").format(count=len(dataset.train))
    ):
        figure, found = prior.figure(model)
        draws = cache.latent.prior_draws(model, dataset.name)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        chart(figure, "aggregate", _("Density of the aggregate posterior and of the prior, with holes marked"), 500)
    with right:
        st.markdown(
            _("**{share:.1%} of the prior's mass** lies in holes on this line.").format(share=found.share)
            if size == 1
            else _("**{share:.1%} of the prior's mass** lies in holes in this plane.").format(share=found.share)
        )
        if size > 2:
            st.markdown(
                _(
                    "In a plane, the other dimensions are marginalised out, and holes fill up. In all {all} dimensions "
                    "together, **{share:.0%}** of {draws:,} samples from the prior fall into holes between the codes "
                    "of these {count:,} images. In many dimensions no number of images fills the space, and the "
                    "decoder has to guess between them."
                ).format(all=size, share=draws.share, draws=len(draws.z), count=len(dataset.train))
            )
        in_holes(found, draws)


def in_holes(found: aggregate.Holes, draws: aggregate.Draws) -> None:
    """Shows decoded points in holes, each above the test image with the nearest code."""
    places = found.places[:, :1] if size == 1 else found.places
    if size > 2:  # a marginal is not a point in latent space, so take the prior samples of lowest density
        places = draws.z[draws.log_ratio.argsort()[: DEEPEST if draws.share else 0]]
    if not len(places):
        st.caption(_("No holes were found."))
        return
    decoded = latent.decode(cache.load(model), places[:DEEPEST]).mean
    nearest = [neighbours(z, codes.mean, 1) for z in places[:DEEPEST]]
    images = dataset.test.images[[int(each.rows[0]) for each in nearest]].numpy() / 255
    numbers = [str(number) for number in range(1, len(decoded) + 1)]
    pictures.wide(
        figures.latent.sheet(np.stack([decoded, images]), columns=numbers, scale=2),
        _("Above: decoded points in holes. Below: the test images with the nearest codes."),
    )
    st.caption(
        _(
            "Above: {what}, decoded. Below: the test images with the nearest codes, at distances of {low:.2g} to "
            "{high:.2g}."
        ).format(
            what=_("the numbered points") if size < 3 else _("the prior samples deepest in holes"),
            low=min(each.distance[0] for each in nearest), high=max(each.distance[0] for each in nearest),
        )
    )  # fmt: skip


STEPS: dict[str, tuple[str, Callable[[], None]]] = {
    "prior": (_("Aggregate posterior"), against_the_prior), "dimensions": (_("Dimensions"), what_dimensions_carry),
}  # fmt: skip
if size > 1:
    STEPS = {"codes": (_("Projections"), where_codes_lie)} | STEPS
STEPS[steps.choose("views", {name: title for name, (title, _show) in STEPS.items()})][1]()
