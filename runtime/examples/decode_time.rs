use std::time::Instant;
use bevrt_calibration::BevGrid;
use bevrt_runtime::*;
fn main(){
 let fine=BevGrid{x_min_m:-33.6,y_min_m:-16.8,cell_m:0.4,rows:168,cols:84};
 let coarse=BevGrid{x_min_m:-51.2,y_min_m:-51.2,cell_m:0.8,rows:128,cols:128};
 for kind in [HeadKind::Objects,HeadKind::Lanes,HeadKind::Arrows,HeadKind::Crosswalks,HeadKind::StopLines]{
  let grid=if kind==HeadKind::Objects{coarse}else{fine};
  let cells=grid.cell_count();
  let mut map=vec![0.0f32;kind.channels()*cells];
  map[..kind.class_count()*cells].fill(-6.0);
  if kind==HeadKind::Lanes{
    // six straight lines, 3 cells wide
    for l in 0..6{ let y=-12.0+4.3*l as f64;
      for row in 0..grid.rows{ for col in 0..grid.cols{ let c=grid.centre(row,col); if (c.y-y).abs()<0.6{ let i=grid.index(row,col); map[i]=3.0; map[2*cells+i]=(y-c.y) as f32; map[3*cells+i]=1.0; map[6*cells+i]=3.0; }}}}
  } else { for k in 0..40 { let i=(k*311+57)%cells; for c in 0..1{ map[c*cells+i]=2.0; } } }
  let section=HeadSection{kind,output:"x".into(),grid,classes:vec![],thresholds:vec![0.3;kind.class_count()]};
  let mut d=HeadDecoder::new(&section); let mut out=Box::<Detections>::default();
  let mut best=f64::MAX; for _ in 0..200{ let t=Instant::now(); d.decode_into(&map,&mut out).unwrap(); best=best.min(t.elapsed().as_secs_f64()); }
  println!("{kind} {:.1} us n={}",best*1e6,out.objects.len()+out.lanes.len()+out.arrows.len()+out.crosswalks.len()+out.stop_lines.len());
  // noise
  let mut s=1u32; for v in &mut map { s=s.wrapping_mul(1664525).wrapping_add(1013904223); *v=(s>>8) as f32/8388608.0-1.0; }
  let t=Instant::now(); d.decode_into(&map,&mut out).unwrap(); println!("   noise {:.1} us",t.elapsed().as_secs_f64()*1e6);
 }
}
